//! Who takes messages from a queue.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use tokio::task::coop;

use super::queue::{SharedQueue, Stored};
use crate::{message::Delivery, transport::Deliveries};

/// One of those that a queue's messages go to in turn; the queue's lock is its own.
pub(super) struct Consumer {
    pub(super) id: u64,
    /// The connection that it belongs to.
    pub(super) link: u64,
    /// Until it is stopped; what it has can still be settled.
    consuming: bool,
    prefetch: usize,
    delivered: u64,
    unacknowledged: Unacknowledged,
    /// What it was sent and did not take yet.
    inbox: VecDeque<Delivery>,
    /// Whoever waits for more.
    waiting: Option<Waker>,
}

/// What was delivered and is not settled, in places that are used again.
#[derive(Default)]
struct Unacknowledged {
    places: Vec<Option<(u64, Stored)>>,
    free: Vec<u64>,
}

/// A tag has the place in its lowest bits, which are enough for every prefetch, and above them what no other has.
const PLACE_BITS: u32 = u16::BITS;

impl Unacknowledged {
    fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Keeps the delivery of this number, and says its tag.
    fn keep(&mut self, number: u64, stored: Stored) -> u64 {
        let place = self.free.pop().unwrap_or(self.places.len() as u64);
        let tag = number << PLACE_BITS | place;
        match self.at(tag) {
            Some(free) => *free = Some((tag, stored)),
            None => self.places.push(Some((tag, stored))),
        }
        tag
    }

    fn settle(&mut self, tag: u64) -> Option<Stored> {
        let (tag, stored) = self.at(tag)?.take_if(|(kept, _)| *kept == tag)?;
        self.free.push(tag & !(u64::MAX << PLACE_BITS));
        Some(stored)
    }

    fn at(&mut self, tag: u64) -> Option<&mut Option<(u64, Stored)>> {
        let place = usize::try_from(tag & !(u64::MAX << PLACE_BITS)).ok()?;
        self.places.get_mut(place)
    }
}

impl Consumer {
    pub(super) fn new(id: u64, link: u64, prefetch: u16) -> Self {
        Self {
            id,
            link,
            consuming: true,
            prefetch: usize::from(prefetch),
            delivered: 0,
            unacknowledged: Unacknowledged::default(),
            inbox: VecDeque::new(),
            waiting: None,
        }
    }

    pub(super) fn is_consuming(&self) -> bool {
        self.consuming
    }

    pub(super) fn has_room(&self) -> bool {
        self.consuming && self.unacknowledged.len() < self.prefetch
    }

    /// What waits is to be woken; here and below.
    #[must_use]
    pub(super) fn stop(&mut self) -> Option<Waker> {
        self.consuming = false;
        self.waiting.take()
    }

    #[must_use]
    pub(super) fn deliver(&mut self, stored: Stored) -> Option<Waker> {
        self.delivered += 1;
        let (message, redelivered) = (stored.message.clone(), stored.deliveries > 0);
        let tag = self.unacknowledged.keep(self.delivered, stored);
        self.inbox.push_back(Delivery { tag, redelivered, message });
        self.waiting.take()
    }

    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        if self.inbox.is_empty() {
            if self.consuming {
                self.waiting = Some(cx.waker().clone());
                return Poll::Pending;
            }
            return Poll::Ready(false);
        }
        to.extend(self.inbox.drain(..most.min(self.inbox.len())));
        Poll::Ready(true)
    }

    pub(super) fn settle(&mut self, tag: u64) -> Option<Stored> {
        self.unacknowledged.settle(tag)
    }

    /// What it has not acknowledged.
    pub(super) fn into_unacknowledged(self) -> impl Iterator<Item = Stored> {
        self.unacknowledged.places.into_iter().flatten().map(|(_, stored)| stored)
    }
}

/// What a consumer is sent.
pub(super) struct MemoryDeliveries {
    queue: Arc<SharedQueue>,
    consumer: u64,
}

impl MemoryDeliveries {
    pub(super) fn new(queue: Arc<SharedQueue>, consumer: u64) -> Self {
        Self { queue, consumer }
    }
}

impl Deliveries for MemoryDeliveries {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        // Whoever publishes without end from another thread would keep this one from everything else.
        let progress = ready!(coop::poll_proceed(cx));
        let taken = self.queue.change(|queue| match queue.consumer(self.consumer) {
            Some(consumer) => consumer.poll_take(to, most, cx),
            None => Poll::Ready(false),
        });
        if taken.is_ready() {
            progress.made_progress();
        }
        taken
    }
}
