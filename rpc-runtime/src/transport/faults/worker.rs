//! A server's channel: requests come to it, replies leave it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use smol_str::SmolStr;

use super::{
    Wire,
    rules::{Fault, Origin},
};
use crate::{
    error::BrokerError,
    lock::lock,
    message::{Delivery, Message},
    transport::{BoxFuture, Deliveries, OpenWorker, WorkerChannel},
};

/// The methods of what was delivered and is not settled: no more than the channel's prefetch.
type Unsettled = Mutex<HashMap<u64, Option<SmolStr>>>;

struct FaultyWorker {
    inner: Arc<dyn WorkerChannel>,
    /// `None` for what is no service's.
    queue: Option<SmolStr>,
    unsettled: Arc<Unsettled>,
    wire: Arc<Wire>,
}

/// A channel that faults can happen to.
pub(super) fn faulty_worker(
    (inner, deliveries): OpenWorker,
    queue: Option<SmolStr>,
    wire: &Arc<Wire>,
) -> OpenWorker {
    let unsettled = Arc::new(Unsettled::default());
    let (lost, noted) = (Some(wire.lost()), unsettled.clone());
    let worker = FaultyWorker { inner, queue, unsettled, wire: wire.clone() };
    (Arc::new(worker), Box::new(FaultyDeliveries { inner: deliveries, lost, unsettled: noted }))
}

struct FaultyDeliveries {
    inner: Box<dyn Deliveries>,
    /// `None` once it was.
    lost: Option<BoxFuture<'static, BrokerError>>,
    unsettled: Arc<Unsettled>,
}

impl Deliveries for FaultyDeliveries {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        let here = self.lost.as_mut().is_some_and(|lost| lost.as_mut().poll(cx).is_pending());
        if !here {
            self.lost = None;
            return Poll::Ready(false);
        }
        let known = to.len();
        let taken = self.inner.poll_take(to, most, cx);
        let mut unsettled = lock(&self.unsettled);
        for delivery in &to[known..] {
            unsettled.insert(delivery.tag, delivery.properties.kind.clone());
        }
        taken
    }
}

impl FaultyWorker {
    /// Where the request came to that is settled herewith; `None` if there is nothing to be injected.
    fn settle(&self, tag: u64) -> Option<Origin> {
        let method = lock(&self.unsettled).remove(&tag)?;
        Some(Origin { queue: self.queue.clone()?, method })
    }
}

/// The reply with a note of where its request came to.
fn noted(reply: Option<Message>, origin: Option<Origin>) -> Option<Message> {
    reply.map(|mut reply| {
        if let Some(origin) = origin {
            origin.note_on(&mut reply.properties);
        }
        reply
    })
}

impl WorkerChannel for FaultyWorker {
    fn why_ended(&self) -> Option<String> {
        self.inner.why_ended()
    }

    fn finish(&self, tag: u64, reply: Option<Message>) {
        let origin = self.settle(tag);
        if self.wire.is_cut() {
            return;
        }
        let redelivered = origin
            .as_ref()
            .and_then(|origin| self.wire.injected.rules().take(&[Fault::RedeliverRequest], origin));
        match redelivered {
            Some(_) => self.inner.requeue(tag),
            None => self.inner.finish(tag, noted(reply, origin)),
        }
    }

    fn requeue(&self, tag: u64) {
        self.settle(tag);
        if !self.wire.is_cut() {
            self.inner.requeue(tag);
        }
    }

    fn reject(&self, tag: u64, reply: Option<Message>) {
        let origin = self.settle(tag);
        if !self.wire.is_cut() {
            self.inner.reject(tag, noted(reply, origin));
        }
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.inner.stop()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
