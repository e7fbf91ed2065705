//! The declaration of a service's queue.

use std::time::Duration;

use crate::limits;

const TYPE: &str = "x-queue-type";
const DELIVERY_LIMIT: &str = "x-delivery-limit";

/// How often a quorum queue delivers a request again by default: RabbitMQ's own default from 4.0 on; 3.x has no limit.
const DEFAULT_DELIVERY_LIMIT: i64 = 20;

/// The queue of a service, as its servers declare it: its name, its type and its limits.
///
/// Callers never declare it. All servers of one queue have to declare it in the same way. Otherwise `start` fails with an
/// error that names the differing argument.
///
/// ```
/// use std::time::Duration;
///
/// use rpc_runtime::{Overflow, Queue};
///
/// let queue = Queue::named("orders")
///     .quorum()
///     .delivery_limit(5)
///     .max_length(10_000)
///     .overflow(Overflow::RejectPublish);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a queue is declared by the server that it is given to"]
pub struct Queue {
    pub(crate) name: Option<String>,
    pub(crate) kind: QueueType,
    pub(crate) passive: bool,
    /// Whether the queue is declared without a delivery limit, unless an argument sets one.
    pub(crate) unlimited: bool,
    pub(crate) arguments: Vec<(String, QueueArgument)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueType {
    Classic,
    Quorum,
}

impl QueueType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
        }
    }
}

/// The value of an argument of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueArgument {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl From<&str> for QueueArgument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for QueueArgument {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for QueueArgument {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

/// What a full queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Rejects new requests. Their callers get `overloaded` at once.
    RejectPublish,
    /// Drops the oldest requests. Their callers get no reply, and wait until their deadline.
    DropHead,
}

impl Default for Queue {
    /// A durable classic queue with the service's own queue name.
    fn default() -> Self {
        Self {
            name: None,
            kind: QueueType::Classic,
            passive: false,
            unlimited: false,
            arguments: Vec::new(),
        }
    }
}

impl Queue {
    /// A durable classic queue of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// A queue on one node: fast, but lost with that node. This is the default.
    pub fn classic(mut self) -> Self {
        self.kind = QueueType::Classic;
        self
    }

    /// A queue that is replicated over a cluster.
    pub fn quorum(mut self) -> Self {
        self.kind = QueueType::Quorum;
        self
    }

    /// Uses an existing queue as it is, without declaring it.
    pub fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    /// Drops requests that have waited this long, even if their deadline is later (`x-message-ttl`).
    pub fn message_ttl(self, ttl: Duration) -> Self {
        let milliseconds = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        self.argument("x-message-ttl", milliseconds)
    }

    /// The most requests that may wait (`x-max-length`).
    pub fn max_length(self, requests: u32) -> Self {
        self.argument("x-max-length", i64::from(requests))
    }

    /// What happens when the queue is full (`x-overflow`).
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.argument(
            "x-overflow",
            match overflow {
                Overflow::RejectPublish => "reject-publish",
                Overflow::DropHead => "drop-head",
            },
        )
    }

    /// The exchange for requests that expire or are rejected (`x-dead-letter-exchange`).
    pub fn dead_letter_exchange(self, exchange: &str) -> Self {
        self.argument("x-dead-letter-exchange", exchange)
    }

    /// How often a quorum queue delivers one request again before it drops or dead-letters it (`x-delivery-limit`); by
    /// default 20 times.
    pub fn delivery_limit(self, deliveries: u32) -> Self {
        self.argument(DELIVERY_LIMIT, i64::from(deliveries))
    }

    /// Declares a quorum queue without `x-delivery-limit`. Other programs do so, such as the servers of RabbitMQ's tutorial.
    /// Use it to share a queue with them, so that it does not matter which program declares it first. RabbitMQ 4 then
    /// applies its own limit of 20 deliveries. RabbitMQ 3 has no limit, so a request that kills its servers is delivered for
    /// ever. [`ServerBuilder::reject_redelivered`] helps against that.
    ///
    /// ```
    /// use rpc_runtime::Queue;
    ///
    /// let queue = Queue::named("rpc_queue").quorum().no_delivery_limit();
    /// ```
    ///
    /// [`ServerBuilder::reject_redelivered`]: crate::ServerBuilder::reject_redelivered
    pub fn no_delivery_limit(mut self) -> Self {
        self.arguments.retain(|(key, _)| key != DELIVERY_LIMIT);
        self.unlimited = true;
        self
    }

    /// The highest priority that a classic queue supports (`x-max-priority`).
    pub fn max_priority(self, priorities: u8) -> Self {
        self.argument("x-max-priority", i64::from(priorities))
    }

    /// A queue that is deleted, with the requests in it, after a minute without consumers (`x-expires`): for tests and for
    /// short-lived services. It is durable all the same, because RabbitMQ 4.3 refuses shared queues that are not. A broker
    /// in the process never deletes it. RabbitMQ counts a passive declaration as use of the queue, so clients that [fail
    /// fast](crate::ClientBuilder::when_unserved) keep it alive while they call.
    ///
    /// ```
    /// use rpc_runtime::Queue;
    ///
    /// // A name that no other test has.
    /// let queue = Queue::named(format!("orders-test-{}", std::process::id())).temporary();
    /// ```
    pub fn temporary(self) -> Self {
        let milliseconds = i64::try_from(limits::TEMPORARY_QUEUE.as_millis()).unwrap_or(i64::MAX);
        self.argument("x-expires", milliseconds)
    }

    /// Any other argument of the declaration. A second value for the same name replaces the first.
    pub fn argument(mut self, name: &str, value: impl Into<QueueArgument>) -> Self {
        self.arguments.retain(|(key, _)| key != name);
        self.arguments.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the queue's name, if it has none.
    pub(crate) fn or_named(mut self, name: &str) -> Self {
        self.name.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Every argument of the declaration. It always contains the type, because the default type depends on the virtual host.
    /// That of a quorum queue contains a delivery limit by default, because otherwise a request that kills its server is
    /// delivered for ever.
    pub(crate) fn declared_arguments(&self) -> Vec<(String, QueueArgument)> {
        let mut declared = self.arguments.clone();
        let has = |name: &str| self.arguments.iter().any(|(key, _)| key == name);
        if !has(TYPE) {
            declared.push((TYPE.to_owned(), self.kind.as_str().into()));
        }
        if self.kind == QueueType::Quorum && !self.unlimited && !has(DELIVERY_LIMIT) {
            declared.push((DELIVERY_LIMIT.to_owned(), DEFAULT_DELIVERY_LIMIT.into()));
        }
        declared
    }

    /// The value of an argument that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.declared_arguments().into_iter().find_map(|(key, value)| match value {
            QueueArgument::Integer(number) if key == name => u64::try_from(number).ok(),
            _ => None,
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(queue: &Queue) -> Vec<(String, QueueArgument)> {
        queue.declared_arguments()
    }

    #[test]
    fn a_temporary_queue_of_any_type_expires() {
        let expires = |queue: Queue| queue.temporary().number("x-expires");
        assert_eq!(expires(Queue::named("q")), Some(60_000));
        assert_eq!(expires(Queue::named("q").quorum()), Some(60_000));
    }

    #[test]
    fn the_type_is_always_declared() {
        assert_eq!(declared(&Queue::default()), [(TYPE.to_owned(), "classic".into())]);
    }

    #[test]
    fn a_quorum_queue_has_a_default_delivery_limit() {
        let limit = |queue: Queue| queue.number(DELIVERY_LIMIT);
        assert_eq!(limit(Queue::default().quorum()), Some(20));
        assert_eq!(limit(Queue::default().quorum().delivery_limit(3)), Some(3));
        assert_eq!(limit(Queue::default()), None);
    }

    #[test]
    fn a_quorum_queue_may_have_no_delivery_limit() {
        let queue = Queue::default().quorum().no_delivery_limit();
        assert_eq!(declared(&queue), [(TYPE.to_owned(), "quorum".into())]);
        let queue = Queue::default().delivery_limit(3).no_delivery_limit().quorum();
        assert_eq!(declared(&queue), [(TYPE.to_owned(), "quorum".into())]);
        let queue = queue.delivery_limit(4);
        assert_eq!(queue.number(DELIVERY_LIMIT), Some(4), "the last one counts");
    }

    #[test]
    fn the_last_value_of_an_argument_counts() {
        let queue = Queue::default().max_length(1).max_length(2);
        assert_eq!((queue.number("x-max-length"), queue.arguments.len()), (Some(2), 1));
    }
}
