//! The state of the broker: its queues, callback queues and exchanges, by name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use smol_str::SmolStr;

use super::{
    consumer::{Consumer, MemoryDeliveries},
    queue::StoredQueue,
    topic::Topic,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    lock::lock,
    message::Message,
    transport::{CallerSink, PublishOutcome, Queue, QueueState},
};

#[derive(Default)]
pub(super) struct MemoryBroker {
    names: Mutex<Names>,
    ids: AtomicU64,
}

#[derive(Default)]
struct Names {
    queues: BTreeMap<SmolStr, Named>,
    exchanges: HashMap<String, Topic>,
}

/// The target of a queue name.
enum Named {
    Queue(StoredQueue),
    /// The callback queue of a connection, which stores no messages.
    Callback {
        connection: u64,
        sink: Arc<dyn CallerSink>,
    },
}

impl MemoryBroker {
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        lock(&self.names)
    }

    pub(super) fn check_exchange(&self, exchange: &str) -> Result<(), BrokerError> {
        if exchange.is_empty() || self.names().exchanges.contains_key(exchange) {
            return Ok(());
        }
        let message = format!("there is no exchange {exchange:?}; servers declare it");
        Err(BrokerError::new(BrokerErrorKind::NotFound, message))
    }

    pub(super) fn declare(&self, queue: &Queue, exchange: &str) -> Result<(), BrokerError> {
        let mut names = self.names();
        let name = queue.name();
        match names.queue(name) {
            None if queue.passive => {
                let message =
                    format!("there is no queue {name:?}, and `Queue::passive()` declares none");
                return Err(BrokerError::new(BrokerErrorKind::NotFound, message));
            }
            None => {
                let stored = StoredQueue::new(queue.clone());
                names.queues.insert(name.into(), Named::Queue(stored));
            }
            Some(existing) if !queue.passive => existing.check_same(queue)?,
            Some(_) => {}
        }
        if !exchange.is_empty() {
            let topic = names.exchanges.entry(exchange.to_owned()).or_default();
            topic.bind(name, &format!("{name}.*"));
        }
        Ok(())
    }

    /// Declares a queue that is deleted with its last consumer, and binds it with each of the keys.
    pub(super) fn declare_listener(&self, queue: Queue, exchange: &str, keys: &[String]) {
        let mut names = self.names();
        let topic = names.exchanges.entry(exchange.to_owned()).or_default();
        for key in keys {
            topic.bind(queue.name(), key);
        }
        let name = SmolStr::from(queue.name());
        names.queues.insert(name, Named::Queue(StoredQueue::auto_delete(queue)));
    }

    /// Changes a queue, if it is there.
    pub(super) fn change<T>(
        &self,
        queue: &str,
        change: impl FnOnce(&mut StoredQueue) -> T,
    ) -> Option<T> {
        self.names().queue(queue).map(change)
    }

    pub(super) fn queue_state(&self, queue: &str) -> Option<QueueState> {
        self.change(queue, StoredQueue::state)
    }

    /// Starts a consumer; its deliveries are acknowledged by the id that this returns.
    pub(super) fn consume(
        &self,
        connection: u64,
        queue: &str,
        prefetch: u16,
    ) -> Result<(u64, MemoryDeliveries), BrokerError> {
        let id = self.next_id();
        let (consumer, deliveries) = Consumer::new(id, connection, prefetch);
        let added = self.change(queue, |queue| queue.add_consumer(consumer));
        added.map(|()| (id, deliveries)).ok_or_else(|| {
            let message = format!("there is no queue {queue:?}");
            BrokerError::new(BrokerErrorKind::NotFound, message)
        })
    }

    pub(super) fn add_callback(&self, connection: u64, queue: &SmolStr, sink: Arc<dyn CallerSink>) {
        self.names().queues.insert(queue.clone(), Named::Callback { connection, sink });
    }

    pub(super) fn remove_callback(&self, queue: &str) {
        self.names().queues.remove(queue);
    }

    pub(super) fn publish(&self, message: Message) -> PublishOutcome {
        if !message.exchange.is_empty() {
            return self.publish_to_all(&Arc::new(message));
        }
        let sink = match self.names().queues.get_mut(&message.routing_key) {
            Some(Named::Queue(queue)) => return queue.push(Arc::new(message)),
            Some(Named::Callback { sink, .. }) => sink.clone(),
            None => return PublishOutcome::Unroutable,
        };
        // The sink takes its own locks and wakes users' tasks, so it is called without the lock of the names.
        sink.reply(message);
        PublishOutcome::Accepted
    }

    /// Publishes a copy to each queue whose binding to the exchange matches the routing key.
    fn publish_to_all(&self, message: &Arc<Message>) -> PublishOutcome {
        let mut names = self.names();
        let topic = names.exchanges.get(message.exchange.as_str());
        let bound = topic.map(|topic| topic.route(&message.routing_key)).unwrap_or_default();
        let push = |name: &String| Some(names.queue(name)?.push(message.clone()));
        // As in RabbitMQ, the message is rejected if one of the queues rejects it.
        bound.iter().filter_map(push).fold(PublishOutcome::Unroutable, |all, one| {
            if matches!(all, PublishOutcome::Rejected) { all } else { one }
        })
    }

    /// Removes a consumer, and requeues the messages that it did not acknowledge.
    pub(super) fn remove_consumer(&self, queue: &str, consumer: u64) {
        let mut names = self.names();
        let deleted = names.queue(queue).is_some_and(|stored| {
            stored.remove_consumers(|one| one.id == consumer);
            stored.should_be_deleted()
        });
        if deleted {
            names.remove_queue(queue);
        }
    }

    /// Removes everything that the connection owns.
    pub(super) fn disconnect(&self, connection: u64) {
        let mut names = self.names();
        let mut removed = Vec::new();
        for (name, named) in &mut names.queues {
            let is_removed = match named {
                Named::Callback { connection: owner, .. } => *owner == connection,
                Named::Queue(queue) => {
                    queue.remove_consumers(|consumer| consumer.connection == connection);
                    queue.should_be_deleted()
                }
            };
            if is_removed {
                removed.push(name.clone());
            }
        }
        for name in removed {
            names.remove_queue(&name);
        }
    }
}

impl Names {
    fn queue(&mut self, name: &str) -> Option<&mut StoredQueue> {
        match self.queues.get_mut(name) {
            Some(Named::Queue(queue)) => Some(queue),
            _ => None,
        }
    }

    fn remove_queue(&mut self, name: &str) {
        self.queues.remove(name);
        self.exchanges.values_mut().for_each(|topic| topic.unbind(name));
    }
}
