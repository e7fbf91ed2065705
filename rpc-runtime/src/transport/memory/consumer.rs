//! Who takes messages from a queue.

use tokio::sync::mpsc::UnboundedSender;

use super::queue::Stored;
use crate::transport::Delivery;

pub(super) struct Consumer {
    pub(super) id: u64,
    /// The connection that it belongs to.
    pub(super) link: u64,
    /// `None` once it was stopped; what it has can still be settled.
    sender: Option<UnboundedSender<Delivery>>,
    prefetch: usize,
    delivered: u64,
    unacknowledged: Unacknowledged,
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
    pub(super) fn new(
        id: u64,
        link: u64,
        prefetch: u16,
        sender: UnboundedSender<Delivery>,
    ) -> Self {
        let (prefetch, unacknowledged) = (usize::from(prefetch), Unacknowledged::default());
        Self { id, link, sender: Some(sender), prefetch, delivered: 0, unacknowledged }
    }

    pub(super) fn is_consuming(&self) -> bool {
        self.sender.is_some()
    }

    pub(super) fn has_room(&self) -> bool {
        self.is_consuming() && self.unacknowledged.len() < self.prefetch
    }

    pub(super) fn stop(&mut self) {
        self.sender = None;
    }

    pub(super) fn deliver(&mut self, stored: Stored) {
        self.delivered += 1;
        let (message, redelivered) = (stored.message.clone(), stored.deliveries > 0);
        let tag = self.unacknowledged.keep(self.delivered, stored);
        if let Some(sender) = &self.sender {
            // A receiver that is gone is about to remove its consumer, which gives the message back.
            let _ = sender.send(Delivery { tag, redelivered, message });
        }
    }

    pub(super) fn settle(&mut self, tag: u64) -> Option<Stored> {
        self.unacknowledged.settle(tag)
    }

    /// What it has not acknowledged.
    pub(super) fn into_unacknowledged(self) -> impl Iterator<Item = Stored> {
        self.unacknowledged.places.into_iter().flatten().map(|(_, stored)| stored)
    }
}
