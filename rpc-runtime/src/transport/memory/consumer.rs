//! Who takes messages from a queue.

use std::collections::BTreeMap;

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
    next_tag: u64,
    unacknowledged: BTreeMap<u64, Stored>,
}

impl Consumer {
    pub(super) fn new(
        id: u64,
        link: u64,
        prefetch: u16,
        sender: UnboundedSender<Delivery>,
    ) -> Self {
        let (prefetch, unacknowledged) = (usize::from(prefetch), BTreeMap::new());
        Self { id, link, sender: Some(sender), prefetch, next_tag: 1, unacknowledged }
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
        let tag = self.next_tag;
        self.next_tag += 1;
        let (message, redelivered) = (stored.message.clone(), stored.deliveries > 0);
        self.unacknowledged.insert(tag, stored);
        if let Some(sender) = &self.sender {
            // A receiver that is gone is about to remove its consumer, which gives the message back.
            let _ = sender.send(Delivery { tag, redelivered, message });
        }
    }

    pub(super) fn settle(&mut self, tag: u64) -> Option<Stored> {
        self.unacknowledged.remove(&tag)
    }

    /// What it has not acknowledged.
    pub(super) fn into_unacknowledged(self) -> impl Iterator<Item = Stored> {
        self.unacknowledged.into_values()
    }
}
