//! A reply that is kept until the broker has dealt with it, and the request that is settled then.

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

/// A request that was not acknowledged yet, on the channel that it came on.
pub(in super::super) struct Unsettled {
    pub(in super::super) writer: Arc<dyn Settle>,
    pub(in super::super) tag: u64,
    /// It is rejected and not acknowledged.
    pub(in super::super) reject: bool,
}

/// What settles requests: the writer of their channel, of whichever driver.
pub(in super::super) trait Settle: Send + Sync {
    /// Acknowledges or rejects a request, after this reply if there is one.
    fn settle(&self, tag: u64, reject: bool, reply: Option<&Message>);
}

impl<W: DriverWriter> Settle for W {
    fn settle(&self, tag: u64, reject: bool, reply: Option<&Message>) {
        // A channel that is gone has given the request back.
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

/// A reply, kept until the broker has dealt with it.
pub(in super::super) struct Kept {
    pub(super) reply: Message,
    /// `None` once it is settled.
    request: Option<Unsettled>,
    /// The queue of the request.
    queue: SmolStr,
    /// Counts the reply if it reaches nobody.
    undeliverable: Arc<AtomicU64>,
    pub(super) since: Instant,
    /// It is a fault already, in the place of a reply that was too large.
    pub(super) replaced: bool,
    #[allow(dead_code, reason = "held, not read")]
    pub(super) room: Option<Room>,
}

impl Kept {
    pub(in super::super) fn new(
        reply: Message,
        request: Unsettled,
        queue: SmolStr,
        undeliverable: Arc<AtomicU64>,
    ) -> Box<Self> {
        Box::new(Self {
            reply,
            request: Some(request),
            queue,
            undeliverable,
            since: Instant::now(),
            replaced: false,
            room: None,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.reply.body.len()
    }

    /// Settles the request, once.
    pub(super) fn settle(&mut self) {
        if let Some(request) = self.request.take() {
            request.settle(None);
        }
    }

    /// Sends the reply on the channel of its request, and settles that.
    pub(super) fn send_beside_request(mut self: Box<Self>) {
        if let Some(request) = self.request.take() {
            request.settle(Some(&self.reply));
        }
    }

    /// What the reply is recognised by, for log lines.
    fn correlation_id(&self) -> Option<impl Value + use<'_>> {
        let id = self.reply.properties.correlation_id.as_ref();
        id.map(|id| field::display(Escaped::new(id)))
    }

    /// Counts a reply that reaches nobody.
    pub(super) fn count_undeliverable(&self) {
        self.undeliverable.fetch_add(1, Ordering::Relaxed);
    }

    /// Warns that the reply reaches nobody, and settles its request.
    pub(super) fn give_up(mut self: Box<Self>, warned: &Throttle, reason: &str) {
        self.count_undeliverable();
        if let Some(left_out) = warned.pass() {
            warn!(
                queue = &*self.queue,
                reply_to = ?self.reply.routing_key,
                correlation_id = self.correlation_id(),
                reason = ?reason,
                left_out,
                "a reply could not be sent; its method has run and is not run again"
            );
        }
        self.settle();
    }

    /// Puts a fault in the place of a reply that is too large for the broker.
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
        let message = format!("the reply is {size} bytes, which is more than the broker takes");
        let fault = Fault::new(FaultKind::TooLarge, message).ran(true);
        self.reply = wire::fault_in_place_of(&self.reply, fault);
        self.replaced = true;
    }
}
