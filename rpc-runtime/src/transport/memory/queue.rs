//! One queue: its messages in order, its limits and its consumers.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::consumer::Consumer;
use crate::{
    error::{BrokerError, BrokerErrorKind},
    message::{Expiration, Message},
    transport::{PublishOutcome, Queue, QueueArgument, QueueState},
};

/// A message in a queue, or with a consumer that has not acknowledged it.
pub(super) struct Stored {
    pub(super) message: Arc<Message>,
    /// How often it was delivered and requeued.
    pub(super) deliveries: u64,
    sequence: u64,
    expires: Option<Instant>,
}

pub(super) struct StoredQueue {
    declared: Queue,
    limits: Limits,
    messages: VecDeque<Stored>,
    next_sequence: u64,
    consumers: Vec<Consumer>,
    /// The index of the consumer that gets the next message.
    next_consumer: usize,
    /// Whether the queue is deleted with its last consumer.
    auto_delete: bool,
}

/// The limits of the declaration, read once.
struct Limits {
    length: Option<u64>,
    refuses_when_full: bool,
    ttl: Option<Duration>,
    highest_priority: u8,
    deliveries: Option<u64>,
}

impl Limits {
    fn of(queue: &Queue) -> Self {
        let refuses = ("x-overflow".to_owned(), QueueArgument::from("reject-publish"));
        Self {
            length: queue.number("x-max-length"),
            refuses_when_full: queue.arguments.contains(&refuses),
            ttl: queue.number("x-message-ttl").map(Duration::from_millis),
            highest_priority: queue
                .number("x-max-priority")
                .map_or(0, |highest| u8::try_from(highest).unwrap_or(u8::MAX)),
            deliveries: queue.number("x-delivery-limit"),
        }
    }
}

impl StoredQueue {
    pub(super) fn new(declared: Queue) -> Self {
        Self {
            limits: Limits::of(&declared),
            declared,
            messages: VecDeque::new(),
            next_sequence: 0,
            consumers: Vec::new(),
            next_consumer: 0,
            auto_delete: false,
        }
    }

    /// A queue that is deleted with its last consumer.
    pub(super) fn auto_delete(declared: Queue) -> Self {
        Self { auto_delete: true, ..Self::new(declared) }
    }

    pub(super) fn state(&mut self) -> QueueState {
        self.drop_expired();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let consuming = self.consumers.iter().filter(|consumer| consumer.is_consuming()).count();
        QueueState { messages: count(self.messages.len()), consumers: count(consuming) }
    }

    /// Whether the last consumer of an auto-delete queue has stopped.
    pub(super) fn should_be_deleted(&self) -> bool {
        self.auto_delete && !self.consumers.iter().any(Consumer::is_consuming)
    }

    /// As in RabbitMQ, a second declaration has to have the same arguments as the first.
    pub(super) fn check_same(&self, queue: &Queue) -> Result<(), BrokerError> {
        let (ours, theirs) = (self.declared.declared_arguments(), queue.declared_arguments());
        let differs = theirs
            .iter()
            .find(|argument| !ours.contains(argument))
            .or_else(|| ours.iter().find(|argument| !theirs.contains(argument)));
        let Some((name, _)) = differs else { return Ok(()) };
        let message = format!(
            "the queue {:?} exists with another {name}; declare it in the same way, or use it as it is with `Queue::passive()`",
            queue.name()
        );
        Err(BrokerError::new(BrokerErrorKind::DeclaredDifferently, message))
    }

    pub(super) fn add_consumer(&mut self, consumer: Consumer) {
        self.consumers.push(consumer);
        self.deliver();
    }

    /// Stops deliveries to a consumer. Those that it has can still be settled.
    pub(super) fn stop(&mut self, consumer: u64) {
        if let Some(consumer) = self.consumers.iter_mut().find(|one| one.id == consumer) {
            consumer.stop();
        }
    }

    /// Removes consumers, and requeues the messages that they did not acknowledge.
    pub(super) fn remove_consumers(&mut self, which: impl Fn(&Consumer) -> bool) {
        let removed: Vec<Consumer> = self.consumers.extract_if(.., |one| which(one)).collect();
        for consumer in removed {
            consumer.into_unacknowledged().for_each(|stored| self.requeue_in_place(stored));
        }
        self.deliver();
    }

    pub(super) fn acknowledge(&mut self, consumer: u64, tag: u64) {
        self.settle(consumer, tag);
        self.deliver();
    }

    pub(super) fn requeue(&mut self, consumer: u64, tag: u64) {
        if let Some(stored) = self.settle(consumer, tag) {
            self.requeue_in_place(stored);
        }
        self.deliver();
    }

    fn settle(&mut self, consumer: u64, tag: u64) -> Option<Stored> {
        self.consumer(consumer)?.settle(tag)
    }

    fn consumer(&mut self, id: u64) -> Option<&mut Consumer> {
        self.consumers.iter_mut().find(|consumer| consumer.id == id)
    }

    /// Adds a published message, unless the queue is full and rejects it.
    pub(super) fn push(&mut self, message: Arc<Message>) -> PublishOutcome {
        self.drop_expired();
        if let Some(limit) = self.limits.length
            && self.messages.len() as u64 >= limit
        {
            if self.limits.refuses_when_full {
                return PublishOutcome::Rejected;
            }
            self.messages.pop_front();
        }
        let stored = Stored {
            expires: self.expiry_of(&message).map(|ttl| Instant::now() + ttl),
            message,
            sequence: self.next_sequence,
            deliveries: 0,
        };
        self.next_sequence += 1;
        self.insert(stored);
        self.deliver();
        PublishOutcome::Accepted
    }

    /// Delivers messages to the consumers that have room, in turn.
    fn deliver(&mut self) {
        self.drop_expired();
        while !self.messages.is_empty() {
            let Some(index) = self.next_with_room() else { return };
            let (Some(consumer), Some(stored)) =
                (self.consumers.get_mut(index), self.messages.pop_front())
            else {
                return;
            };
            consumer.deliver(stored);
            self.next_consumer = index + 1;
        }
    }

    fn next_with_room(&self) -> Option<usize> {
        let count = self.consumers.len();
        let in_turn = (0..count).map(|step| (self.next_consumer + step) % count);
        in_turn.into_iter().find(|index| self.consumers[*index].has_room())
    }

    /// Requeues a message at its old place, and counts the delivery. Drops it if it was delivered too often.
    fn requeue_in_place(&mut self, mut stored: Stored) {
        stored.deliveries += 1;
        if self.limits.deliveries.is_none_or(|limit| stored.deliveries <= limit) {
            self.insert(stored);
        }
    }

    /// Drops expired messages at the head of the queue, as RabbitMQ does.
    fn drop_expired(&mut self) {
        let now = Instant::now();
        let expired = |first: &Stored| first.expires.is_some_and(|at| at <= now);
        while self.messages.front().is_some_and(expired) {
            self.messages.pop_front();
        }
    }

    fn insert(&mut self, stored: Stored) {
        let place = |message: &Stored| (u8::MAX - self.priority_of(message), message.sequence);
        match self.messages.back() {
            Some(last) if place(&stored) < place(last) => {
                let at = self.messages.partition_point(|other| place(other) < place(&stored));
                self.messages.insert(at, stored);
            }
            _ => self.messages.push_back(stored),
        }
    }

    fn priority_of(&self, stored: &Stored) -> u8 {
        let requested = stored.message.properties.priority.unwrap_or(0);
        requested.min(self.limits.highest_priority)
    }

    fn expiry_of(&self, message: &Message) -> Option<Duration> {
        let own = message.properties.expiration.as_ref().and_then(Expiration::time);
        [own, self.limits.ttl].into_iter().flatten().min()
    }
}
