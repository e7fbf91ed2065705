//! One queue: its messages in order, and its limits.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{
    error::{BrokerError, BrokerErrorKind},
    transport::{Delivery, Fate, Queue, QueueArgument},
};

/// A message in a queue, or with a consumer that has not acknowledged it.
pub(super) struct Stored {
    pub(super) delivery: Delivery,
    sequence: u64,
    expires: Option<Instant>,
    deliveries: u64,
}

pub(super) struct StoredQueue {
    declared: Queue,
    messages: VecDeque<Stored>,
    next_sequence: u64,
    /// In the order of their turns.
    pub(super) consumers: VecDeque<u64>,
    /// Gone with its last consumer.
    pub(super) fleeting: bool,
}

impl StoredQueue {
    pub(super) fn new(declared: Queue) -> Self {
        let (messages, consumers) = (VecDeque::new(), VecDeque::new());
        Self { declared, messages, next_sequence: 0, consumers, fleeting: false }
    }

    /// A queue that goes with its last consumer.
    pub(super) fn fleeting(declared: Queue) -> Self {
        Self { fleeting: true, ..Self::new(declared) }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// As RabbitMQ: a second declaration has to agree with the first in every argument.
    pub(super) fn check_same(&self, queue: &Queue) -> Result<(), BrokerError> {
        let (ours, theirs) = (self.declared.declared_arguments(), queue.declared_arguments());
        let differs = theirs
            .iter()
            .find(|argument| !ours.contains(argument))
            .or_else(|| ours.iter().find(|argument| !theirs.contains(argument)));
        let Some((name, _)) = differs else { return Ok(()) };
        let message = format!(
            "the queue {:?} exists with another {name}; declare it alike, or take it as it is with `Queue::passive()`",
            queue.name()
        );
        Err(BrokerError::new(BrokerErrorKind::DeclaredDifferently, message))
    }

    /// Takes a message, unless the queue is full and refuses.
    pub(super) fn push(&mut self, delivery: Delivery) -> Fate {
        self.drop_expired();
        if let Some(limit) = self.declared.number("x-max-length") {
            let full = self.messages.len() as u64 >= limit;
            let refuses =
                ("x-overflow".to_owned(), QueueArgument::Text("reject-publish".to_owned()));
            if full && self.declared.arguments.contains(&refuses) {
                return Fate::Rejected;
            }
            if full {
                self.messages.pop_front();
            }
        }
        let stored = Stored {
            expires: self.expiry_of(&delivery).map(|ttl| Instant::now() + ttl),
            delivery,
            sequence: self.next_sequence,
            deliveries: 0,
        };
        self.next_sequence += 1;
        self.insert(stored);
        Fate::Accepted
    }

    pub(super) fn pop(&mut self) -> Option<Stored> {
        self.messages.pop_front()
    }

    /// Gives a message back to its old place, marked; one that came back too often is dropped.
    pub(super) fn put_back(&mut self, mut stored: Stored) {
        stored.deliveries += 1;
        stored.delivery.redelivered = true;
        let limit = self.declared.number("x-delivery-limit");
        if limit.is_none_or(|limit| stored.deliveries <= limit) {
            self.insert(stored);
        }
    }

    /// Expired messages leave at the head only.
    pub(super) fn drop_expired(&mut self) {
        let now = Instant::now();
        while self.messages.front().is_some_and(|first| first.expires.is_some_and(|at| at <= now)) {
            self.messages.pop_front();
        }
    }

    fn insert(&mut self, stored: Stored) {
        let place = |message: &Stored| (u8::MAX - self.priority_of(message), message.sequence);
        let at = self.messages.partition_point(|other| place(other) < place(&stored));
        self.messages.insert(at, stored);
    }

    fn priority_of(&self, message: &Stored) -> u8 {
        let highest = self.declared.number("x-max-priority").unwrap_or(0);
        let highest = u8::try_from(highest).unwrap_or(u8::MAX);
        message.delivery.properties.priority.unwrap_or(0).min(highest)
    }

    fn expiry_of(&self, delivery: &Delivery) -> Option<Duration> {
        let own = delivery.properties.expiration.as_deref().and_then(|text| text.parse().ok());
        let of_queue = self.declared.number("x-message-ttl");
        [own, of_queue].into_iter().flatten().min().map(Duration::from_millis)
    }
}
