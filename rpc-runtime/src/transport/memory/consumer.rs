//! A consumer receives messages from a queue.

use std::{
    collections::BTreeMap,
    task::{Context, Poll},
};

use tokio::sync::mpsc;

use super::queue::Stored;
use crate::{message::Delivery, transport::Deliveries};

/// One of the consumers that a queue delivers to in turn. The lock of the queue protects it.
pub(super) struct Consumer {
    pub(super) id: u64,
    pub(super) connection: u64,
    /// `None` once the consumer is stopped. Its deliveries can still be settled. The prefetch bounds this channel.
    deliveries: Option<mpsc::UnboundedSender<Delivery>>,
    prefetch: usize,
    last_tag: u64,
    /// By delivery tag.
    unacknowledged: BTreeMap<u64, Stored>,
}

impl Consumer {
    pub(super) fn new(id: u64, connection: u64, prefetch: u16) -> (Self, MemoryDeliveries) {
        let (deliveries, received) = mpsc::unbounded_channel();
        let consumer = Self {
            id,
            connection,
            deliveries: Some(deliveries),
            prefetch: usize::from(prefetch),
            last_tag: 0,
            unacknowledged: BTreeMap::new(),
        };
        (consumer, MemoryDeliveries(received))
    }

    pub(super) fn is_consuming(&self) -> bool {
        self.deliveries.is_some()
    }

    pub(super) fn has_room(&self) -> bool {
        self.is_consuming() && self.unacknowledged.len() < self.prefetch
    }

    pub(super) fn stop(&mut self) {
        self.deliveries = None;
    }

    pub(super) fn deliver(&mut self, stored: Stored) {
        self.last_tag += 1;
        let (tag, redelivered) = (self.last_tag, stored.deliveries > 0);
        let delivery = Delivery { tag, redelivered, message: stored.message.clone() };
        self.unacknowledged.insert(tag, stored);
        if let Some(deliveries) = &self.deliveries {
            // If the receiver was dropped, the consumer is removed soon, and its unacknowledged messages are requeued.
            let _ = deliveries.send(delivery);
        }
    }

    pub(super) fn settle(&mut self, tag: u64) -> Option<Stored> {
        self.unacknowledged.remove(&tag)
    }

    pub(super) fn into_unacknowledged(self) -> impl Iterator<Item = Stored> {
        self.unacknowledged.into_values()
    }
}

/// The messages that a consumer receives.
pub(super) struct MemoryDeliveries(mpsc::UnboundedReceiver<Delivery>);

impl Deliveries for MemoryDeliveries {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        max: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        self.0.poll_recv_many(cx, to, max).map(|received| received > 0)
    }
}
