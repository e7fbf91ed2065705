//! A reply that is stored until the broker has dealt with it. Then its request is settled.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use smol_str::SmolStr;
use tokio::time::Instant;
use tracing::{Value, field, warn};

use super::{
    super::driver::{DriverBatch, DriverWriter},
    load::Room,
};
use crate::{
    escape::Escaped,
    fault::{Fault, FaultKind},
    message::Message,
    throttle::Throttle,
    wire,
};

/// A request that is not settled yet, and the channel that it was received on.
pub(in super::super) struct Unsettled {
    pub(in super::super) writer: Arc<dyn Settle>,
    pub(in super::super) tag: u64,
    /// Whether to reject it instead of acknowledging it.
    pub(in super::super) reject: bool,
}

/// Settles requests: the writer of their channel, of either driver.
pub(in super::super) trait Settle: Send + Sync {
    /// Acknowledges or rejects a request, after this reply if there is one.
    fn settle(&self, tag: u64, reject: bool, reply: Option<&Message>);
}

impl<W: DriverWriter> Settle for W {
    fn settle(&self, tag: u64, reject: bool, reply: Option<&Message>) {
        // If the channel has ended, the request was requeued.
        let _ = self.write(|out| {
            if let Some(reply) = reply {
                out.publish(reply);
            }
            if reject {
                out.reject(tag, false);
            } else {
                out.ack(tag);
            }
        });
    }
}

impl Unsettled {
    fn settle(self, reply: Option<&Message>) {
        self.writer.settle(self.tag, self.reject, reply);
    }
}

/// A reply that the broker has not dealt with yet.
pub(in super::super) struct UnconfirmedReply {
    pub(super) message: Message,
    /// `None` once the request is settled.
    request: Option<Unsettled>,
    queue: SmolStr,
    /// Counts the reply if it reaches no caller.
    undeliverable: Arc<AtomicU64>,
    pub(super) since: Instant,
    /// Whether the message is a fault that replaced a reply that was too large.
    pub(super) replaced: bool,
    #[allow(dead_code, reason = "held, not read")]
    pub(super) room: Option<Room>,
}

impl UnconfirmedReply {
    pub(in super::super) fn new(
        message: Message,
        request: Unsettled,
        queue: SmolStr,
        undeliverable: Arc<AtomicU64>,
    ) -> Box<Self> {
        Box::new(Self {
            message,
            request: Some(request),
            queue,
            undeliverable,
            since: Instant::now(),
            replaced: false,
            room: None,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.message.body.len()
    }

    /// Settles the request, once.
    pub(super) fn settle(&mut self) {
        if let Some(request) = self.request.take() {
            request.settle(None);
        }
    }

    /// Sends the reply on the channel of its request, and settles the request.
    pub(super) fn send_beside_request(mut self: Box<Self>) {
        if let Some(request) = self.request.take() {
            request.settle(Some(&self.message));
        }
    }

    /// The correlation id, for log lines.
    fn correlation_id(&self) -> Option<impl Value + use<'_>> {
        let id = self.message.properties.correlation_id.as_ref();
        id.map(|id| field::display(Escaped::new(id)))
    }

    /// Counts a reply that reaches no caller.
    pub(super) fn count_undeliverable(&self) {
        self.undeliverable.fetch_add(1, Ordering::Relaxed);
    }

    /// Logs that the reply reaches no caller, and settles its request.
    pub(super) fn give_up(mut self: Box<Self>, warned: &Throttle, reason: &str) {
        self.count_undeliverable();
        if let Some(left_out) = warned.pass() {
            warn!(
                queue = &*self.queue,
                reply_to = ?self.message.routing_key,
                correlation_id = self.correlation_id(),
                reason = ?reason,
                left_out,
                "a reply could not be sent; its method has run and is not run again"
            );
        }
        self.settle();
    }

    /// Replaces a reply that is too large for the broker with a fault.
    pub(super) fn replace(&mut self, warned: &Throttle, reason: &str) {
        let size = self.size();
        if let Some(left_out) = warned.pass() {
            warn!(
                queue = &*self.queue,
                correlation_id = self.correlation_id(),
                size,
                reason = ?reason,
                left_out,
                "a reply is too large for the broker; its caller gets a fault, and the method is not run again"
            );
        }
        let message = format!("the reply is {size} bytes, which is more than the broker accepts");
        let fault = Fault::new(FaultKind::TooLarge, message).ran(true);
        self.message = wire::fault_in_place_of(&self.message, fault);
        self.replaced = true;
    }
}
