//! Names: of queues, of callback queues and of exchanges, and where they lead.

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

/// What goes by the name of a queue.
enum Named {
    Queue(StoredQueue),
    /// The callback queue of a connection, whose messages are never kept.
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
        let message = format!("there is no exchange {exchange:?}; it is declared by its servers");
        Err(BrokerError::new(BrokerErrorKind::NotFound, message))
    }

    pub(super) fn declare(&self, queue: &Queue, exchange: &str) -> Result<(), BrokerError> {
        let mut names = self.names();
        let name = queue.name();
        match names.queue(name) {
            None if queue.passive => {
                let message = format!("there is no queue {name:?} to take as it is");
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

    /// Declares a queue that goes with its last consumer, and binds it by each of the keys.
    pub(super) fn declare_listener(&self, queue: Queue, exchange: &str, keys: &[String]) {
        let mut names = self.names();
        let topic = names.exchanges.entry(exchange.to_owned()).or_default();
        for key in keys {
            topic.bind(queue.name(), key);
        }
        let name = SmolStr::from(queue.name());
        names.queues.insert(name, Named::Queue(StoredQueue::fleeting(queue)));
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
        // Whoever is told takes locks of its own and wakes tasks of a user: not under that of the names.
        sink.reply(message);
        PublishOutcome::Accepted
    }

    /// A copy to each queue that is bound to the message's exchange by its routing key.
    fn publish_to_all(&self, message: &Arc<Message>) -> PublishOutcome {
        let mut names = self.names();
        let topic = names.exchanges.get(message.exchange.as_str());
        let bound = topic.map(|topic| topic.route(&message.routing_key)).unwrap_or_default();
        let push = |name: &String| Some(names.queue(name)?.push(message.clone()));
        // One queue that would not take it rejects it, as RabbitMQ has it.
        bound.iter().filter_map(push).fold(PublishOutcome::Unroutable, |all, one| {
            if matches!(all, PublishOutcome::Rejected) { all } else { one }
        })
    }

    /// Removes a consumer; what it did not acknowledge goes back.
    pub(super) fn remove_consumer(&self, queue: &str, consumer: u64) {
        let mut names = self.names();
        let gone = names.queue(queue).is_some_and(|stored| {
            stored.remove_consumers(|one| one.id == consumer);
            stored.is_over()
        });
        if gone {
            names.remove_queue(queue);
        }
    }

    /// Everything that a connection owned goes.
    pub(super) fn disconnect(&self, connection: u64) {
        let mut names = self.names();
        let mut gone = Vec::new();
        for (name, named) in &mut names.queues {
            let over = match named {
                Named::Callback { connection: of, .. } => *of == connection,
                Named::Queue(queue) => {
                    queue.remove_consumers(|consumer| consumer.connection == connection);
                    queue.is_over()
                }
            };
            if over {
                gone.push(name.clone());
            }
        }
        for name in gone {
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
