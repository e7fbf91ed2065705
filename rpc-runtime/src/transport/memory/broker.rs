//! The state of the broker: its queues, callback queues and exchanges, by name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use smol_str::SmolStr;

use super::{
    consumer::{Consumer, MemoryDeliveries},
    queue::{SharedQueue, StoredQueue},
    topic::Topic,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    message::Message,
    transport::{CallerSink, PublishOutcome, Queue, QueueState},
};

#[derive(Default)]
pub(super) struct MemoryBroker {
    names: RwLock<Names>,
    ids: AtomicU64,
}

#[derive(Default)]
struct Names {
    queues: BTreeMap<SmolStr, Named>,
    exchanges: HashMap<String, Topic>,
}

/// The target of a queue name.
enum Named {
    Queue(Arc<SharedQueue>),
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

    // Users' code never runs under this lock, so a poisoned lock is safe to use.
    fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_exchange(&self, exchange: &str) -> Result<(), BrokerError> {
        if exchange.is_empty() || self.read().exchanges.contains_key(exchange) {
            return Ok(());
        }
        let message = format!("there is no exchange {exchange:?}; servers declare it");
        Err(BrokerError::new(BrokerErrorKind::NotFound, message))
    }

    pub(super) fn declare(&self, queue: &Queue, exchange: &str) -> Result<(), BrokerError> {
        let mut names = self.write();
        let name = queue.name();
        match names.queue(name) {
            None if queue.passive => {
                let message =
                    format!("there is no queue {name:?}, and `Queue::passive()` declares none");
                return Err(BrokerError::new(BrokerErrorKind::NotFound, message));
            }
            None => {
                let stored = StoredQueue::new(queue.clone()).shared();
                names.queues.insert(name.into(), Named::Queue(stored));
            }
            Some(existing) if !queue.passive => {
                existing.change(|existing| existing.check_same(queue))?;
            }
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
        let mut names = self.write();
        let topic = names.exchanges.entry(exchange.to_owned()).or_default();
        for key in keys {
            topic.bind(queue.name(), key);
        }
        let name = SmolStr::from(queue.name());
        names.queues.insert(name, Named::Queue(StoredQueue::auto_delete(queue).shared()));
    }

    pub(super) fn queue_state(&self, queue: &str) -> Option<QueueState> {
        self.read().queue(queue).map(|queue| queue.change(StoredQueue::state))
    }

    /// Starts a consumer. Its deliveries are acknowledged at the queue that is returned.
    pub(super) fn consume(
        &self,
        connection: u64,
        queue: &str,
        prefetch: u16,
    ) -> Result<(Arc<SharedQueue>, u64, MemoryDeliveries), BrokerError> {
        let Some(queue) = self.read().queue(queue).cloned() else {
            let message = format!("there is no queue {queue:?}");
            return Err(BrokerError::new(BrokerErrorKind::NotFound, message));
        };
        let id = self.next_id();
        let (consumer, deliveries) = Consumer::new(id, connection, prefetch);
        queue.change(|queue| queue.add_consumer(consumer));
        Ok((queue, id, deliveries))
    }

    pub(super) fn add_callback(&self, connection: u64, queue: &SmolStr, sink: Arc<dyn CallerSink>) {
        self.write().queues.insert(queue.clone(), Named::Callback { connection, sink });
    }

    pub(super) fn remove_callback(&self, queue: &str) {
        self.write().queues.remove(queue);
    }

    pub(super) fn publish(&self, message: Message) -> PublishOutcome {
        if !message.exchange.is_empty() {
            return self.publish_to_all(&Arc::new(message));
        }
        let sink = match self.read().queues.get(&message.routing_key) {
            Some(Named::Queue(queue)) => {
                return queue.change(|queue| queue.push(Arc::new(message)));
            }
            Some(Named::Callback { sink, .. }) => sink.clone(),
            None => return PublishOutcome::Unroutable,
        };
        // The sink takes its own locks and wakes users' tasks, so it is called without the lock of the names.
        sink.reply(message);
        PublishOutcome::Accepted
    }

    /// Publishes a copy to each queue whose binding to the exchange matches the routing key.
    fn publish_to_all(&self, message: &Arc<Message>) -> PublishOutcome {
        let names = self.read();
        let topic = names.exchanges.get(message.exchange.as_str());
        let bound = topic.map(|topic| topic.route(&message.routing_key)).unwrap_or_default();
        let queues = bound.iter().filter_map(|name| names.queue(name));
        let outcomes = queues.map(|queue| queue.change(|queue| queue.push(message.clone())));
        // As in RabbitMQ, the message is rejected if one of the queues rejects it.
        outcomes.fold(PublishOutcome::Unroutable, |all, one| match (&all, one) {
            (PublishOutcome::Rejected, _) | (_, PublishOutcome::Rejected) => {
                PublishOutcome::Rejected
            }
            (_, one) => one,
        })
    }

    /// Removes a consumer, and requeues the messages that it did not acknowledge.
    pub(super) fn remove_consumer(&self, queue: &SharedQueue, consumer: u64) {
        let deleted = queue.change(|stored| {
            stored.remove_consumers(|one| one.id == consumer);
            stored.should_be_deleted().then(|| stored.name().to_owned())
        });
        if let Some(name) = deleted {
            self.write().remove_queue(&name);
        }
    }

    /// Removes everything that the connection owns.
    pub(super) fn disconnect(&self, connection: u64) {
        let mut names = self.write();
        let mut removed = Vec::new();
        for (name, named) in &names.queues {
            let is_removed = match named {
                Named::Callback { connection: owner, .. } => *owner == connection,
                Named::Queue(queue) => queue.change(|queue| {
                    queue.remove_consumers(|consumer| consumer.connection == connection);
                    queue.should_be_deleted()
                }),
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
    fn queue(&self, name: &str) -> Option<&Arc<SharedQueue>> {
        match self.queues.get(name) {
            Some(Named::Queue(queue)) => Some(queue),
            _ => None,
        }
    }

    fn remove_queue(&mut self, name: &str) {
        self.queues.remove(name);
        self.exchanges.values_mut().for_each(|topic| topic.unbind(name));
    }
}
