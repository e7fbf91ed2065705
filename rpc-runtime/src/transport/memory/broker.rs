//! Queues, exchanges and consumers, behind one lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    queue::{Stored, StoredQueue},
    topic::Topic,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    transport::{CallerSink, Delivery, Fate, Outbound, Queue, QueueState},
};

#[derive(Default)]
pub(super) struct MemoryBroker {
    state: Mutex<State>,
    ids: AtomicU64,
}

#[derive(Default)]
struct State {
    queues: HashMap<String, StoredQueue>,
    callbacks: HashMap<String, Callback>,
    exchanges: HashMap<String, Topic>,
    consumers: HashMap<u64, Consumer>,
}

struct Callback {
    link: u64,
    sink: Arc<dyn CallerSink>,
}

struct Consumer {
    link: u64,
    queue: String,
    /// `None` once it was stopped.
    sender: Option<UnboundedSender<Box<Delivery>>>,
    prefetch: usize,
    next_tag: u64,
    unacknowledged: BTreeMap<u64, Stored>,
}

impl MemoryBroker {
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock runs code of a user, so a poisoned one is as good as another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_exchange(&self, exchange: &str) -> Result<(), BrokerError> {
        if exchange.is_empty() || self.lock().exchanges.contains_key(exchange) {
            return Ok(());
        }
        let message = format!("there is no exchange {exchange:?}; it is declared by its servers");
        Err(BrokerError::new(BrokerErrorKind::NotFound, message))
    }

    pub(super) fn declare(&self, queue: &Queue, exchange: &str) -> Result<(), BrokerError> {
        let mut state = self.lock();
        let name = queue.name();
        match state.queues.get(name) {
            None if queue.passive => {
                let message = format!("there is no queue {name:?} to take as it is");
                return Err(BrokerError::new(BrokerErrorKind::NotFound, message));
            }
            None => {
                state.queues.insert(name.to_owned(), StoredQueue::new(queue.clone()));
            }
            Some(existing) if !queue.passive => existing.check_same(queue)?,
            Some(_) => {}
        }
        if !exchange.is_empty() {
            let topic = state.exchanges.entry(exchange.to_owned()).or_default();
            topic.bind(name, &format!("{name}.*"));
        }
        Ok(())
    }

    /// Declares a queue that goes with its last consumer, and binds it by each of the keys.
    pub(super) fn declare_listener(&self, queue: Queue, exchange: &str, keys: &[String]) {
        let mut state = self.lock();
        let topic = state.exchanges.entry(exchange.to_owned()).or_default();
        for key in keys {
            topic.bind(queue.name(), key);
        }
        state.queues.insert(queue.name().to_owned(), StoredQueue::fleeting(queue));
    }

    pub(super) fn queue_state(&self, queue: &str) -> Option<QueueState> {
        let mut state = self.lock();
        let queue = state.queues.get_mut(queue)?;
        queue.drop_expired();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(QueueState { messages: count(queue.len()), consumers: count(queue.consumers.len()) })
    }

    pub(super) fn consume(
        &self,
        link: u64,
        queue: &str,
        prefetch: u16,
        sender: UnboundedSender<Box<Delivery>>,
    ) -> Result<u64, BrokerError> {
        let id = self.next_id();
        let mut state = self.lock();
        let Some(stored) = state.queues.get_mut(queue) else {
            let message = format!("there is no queue {queue:?}");
            return Err(BrokerError::new(BrokerErrorKind::NotFound, message));
        };
        stored.consumers.push_back(id);
        let consumer = Consumer {
            link,
            queue: queue.to_owned(),
            sender: Some(sender),
            prefetch: usize::from(prefetch),
            next_tag: 1,
            unacknowledged: BTreeMap::new(),
        };
        state.consumers.insert(id, consumer);
        state.deliver(queue);
        Ok(id)
    }

    pub(super) fn add_callback(&self, link: u64, queue: &str, sink: Arc<dyn CallerSink>) {
        self.lock().callbacks.insert(queue.to_owned(), Callback { link, sink });
    }

    pub(super) fn remove_queue(&self, callback: &str) {
        self.lock().callbacks.remove(callback);
    }

    pub(super) fn publish(&self, message: Outbound) -> Fate {
        let mut state = self.lock();
        if !message.exchange.is_empty() {
            return state.publish_to_topic(&message);
        }
        if let Some(callback) = state.callbacks.get(&message.routing_key) {
            let sink = callback.sink.clone();
            // The sink takes locks of its own and wakes tasks: not under this one.
            drop(state);
            sink.reply(Box::new(delivery(message)));
            return Fate::Accepted;
        }
        let queue = message.routing_key.clone();
        state.publish_to_queue(&queue, message)
    }

    /// Acknowledges a delivery, or gives it back.
    pub(super) fn settle(&self, consumer: u64, tag: u64, requeue: bool) {
        let mut state = self.lock();
        let State { consumers, queues, .. } = &mut *state;
        let Some(consumer) = consumers.get_mut(&consumer) else { return };
        let settled = consumer.unacknowledged.remove(&tag);
        let queue = consumer.queue.clone();
        if let Some(stored) = settled
            && requeue
            && let Some(queue) = queues.get_mut(&queue)
        {
            queue.put_back(stored);
        }
        state.deliver(&queue);
    }

    /// Stops deliveries to a consumer; what it holds can still be settled.
    pub(super) fn stop(&self, consumer: u64) {
        self.lock().stop(consumer);
    }

    /// Removes a consumer; what it did not acknowledge goes back.
    pub(super) fn remove_consumer(&self, consumer: u64) {
        self.lock().remove_consumer(consumer);
    }

    /// Everything that a connection owned goes.
    pub(super) fn disconnect(&self, link: u64) {
        let mut state = self.lock();
        state.callbacks.retain(|_, callback| callback.link != link);
        let owned = state.consumers.iter().filter(|(_, consumer)| consumer.link == link);
        let owned: Vec<u64> = owned.map(|(id, _)| *id).collect();
        for consumer in owned {
            state.remove_consumer(consumer);
        }
    }
}

impl State {
    fn publish_to_queue(&mut self, queue: &str, message: Outbound) -> Fate {
        let Some(stored) = self.queues.get_mut(queue) else {
            return Fate::Unroutable;
        };
        let fate = stored.push(delivery(message));
        self.deliver(queue);
        fate
    }

    /// A copy to each queue; one that would not take it rejects it, as RabbitMQ has it.
    fn publish_to_topic(&mut self, message: &Outbound) -> Fate {
        let topic = self.exchanges.get(&message.exchange);
        let queues = topic.map(|topic| topic.route(&message.routing_key)).unwrap_or_default();
        let mut fate = Fate::Unroutable;
        for queue in queues {
            match self.publish_to_queue(&queue, message.clone()) {
                Fate::Rejected => fate = Fate::Rejected,
                Fate::Accepted if !matches!(fate, Fate::Rejected) => fate = Fate::Accepted,
                _ => {}
            }
        }
        fate
    }

    /// Hands out what is ready, to each consumer in turn that has room.
    fn deliver(&mut self, queue: &str) {
        let Some(stored) = self.queues.get_mut(queue) else { return };
        stored.drop_expired();
        while !stored.is_empty() {
            let Some(consumer) = next_with_room(stored, &mut self.consumers) else { return };
            let Some(message) = stored.pop() else { return };
            let tag = consumer.next_tag;
            consumer.next_tag += 1;
            let delivery = Box::new(Delivery { tag, ..message.delivery.clone() });
            consumer.unacknowledged.insert(tag, message);
            if let Some(sender) = &consumer.sender {
                // A receiver that is gone is about to remove its consumer, which gives the message back.
                let _ = sender.send(delivery);
            }
        }
    }

    fn stop(&mut self, id: u64) -> Option<String> {
        let consumer = self.consumers.get_mut(&id)?;
        consumer.sender = None;
        let queue = consumer.queue.clone();
        if let Some(stored) = self.queues.get_mut(&queue) {
            stored.consumers.retain(|known| *known != id);
        }
        Some(queue)
    }

    fn remove_consumer(&mut self, id: u64) {
        let Some(queue) = self.stop(id) else { return };
        if let Some(consumer) = self.consumers.remove(&id)
            && let Some(stored) = self.queues.get_mut(&queue)
        {
            for message in consumer.unacknowledged.into_values() {
                stored.put_back(message);
            }
            if stored.fleeting && stored.consumers.is_empty() {
                self.queues.remove(&queue);
                self.exchanges.values_mut().for_each(|topic| topic.unbind(&queue));
            }
        }
        self.deliver(&queue);
    }
}

/// The next consumer in turn that may have another message.
fn next_with_room<'a>(
    queue: &mut StoredQueue,
    consumers: &'a mut HashMap<u64, Consumer>,
) -> Option<&'a mut Consumer> {
    for _ in 0..queue.consumers.len() {
        let id = *queue.consumers.front()?;
        queue.consumers.rotate_left(1);
        let consumer = consumers.get(&id)?;
        if consumer.unacknowledged.len() < consumer.prefetch {
            return consumers.get_mut(&id);
        }
    }
    None
}

fn delivery(message: Outbound) -> Delivery {
    Delivery {
        tag: 0,
        redelivered: false,
        exchange: message.exchange,
        routing_key: message.routing_key,
        properties: message.properties,
        body: message.body,
    }
}
