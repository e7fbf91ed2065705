//! A server's channel: receives requests and sends replies.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use smol_str::SmolStr;

use super::{
    Shared,
    rules::{Fault, Origin},
};
use crate::{
    error::BrokerError,
    lock::lock,
    message::{Delivery, Message},
    transport::{BoxFuture, Deliveries, OpenWorker, WorkerChannel},
};

/// The methods of delivered requests that are not settled. The channel's prefetch bounds their number.
type Unsettled = Mutex<HashMap<u64, Option<SmolStr>>>;

struct FaultyWorker {
    inner: Arc<dyn WorkerChannel>,
    /// `None` if it is not the queue of a service.
    queue: Option<SmolStr>,
    unsettled: Arc<Unsettled>,
    shared: Arc<Shared>,
}

/// Adds faults to a channel.
pub(super) fn faulty_worker(
    (inner, deliveries): OpenWorker,
    queue: Option<SmolStr>,
    shared: &Arc<Shared>,
) -> OpenWorker {
    let unsettled = Arc::new(Unsettled::default());
    let (lost, noted) = (Some(shared.lost()), unsettled.clone());
    let worker = FaultyWorker { inner, queue, unsettled, shared: shared.clone() };
    (Arc::new(worker), Box::new(FaultyDeliveries { inner: deliveries, lost, unsettled: noted }))
}

struct FaultyDeliveries {
    inner: Box<dyn Deliveries>,
    /// `None` once the connection was lost.
    lost: Option<BoxFuture<'static, BrokerError>>,
    unsettled: Arc<Unsettled>,
}

impl Deliveries for FaultyDeliveries {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        max: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        let is_connected =
            self.lost.as_mut().is_some_and(|lost| lost.as_mut().poll(cx).is_pending());
        if !is_connected {
            self.lost = None;
            return Poll::Ready(false);
        }
        let before = to.len();
        let received = self.inner.poll_take(to, max, cx);
        let mut unsettled = lock(&self.unsettled);
        for delivery in &to[before..] {
            unsettled.insert(delivery.tag, delivery.properties.kind.clone());
        }
        received
    }
}

impl FaultyWorker {
    /// Removes a settled request, and returns its origin; `None` if no fault may happen to it.
    fn settle(&self, tag: u64) -> Option<Origin> {
        let method = lock(&self.unsettled).remove(&tag)?;
        Some(Origin { queue: self.queue.clone()?, method })
    }
}

/// Marks the reply with the origin of its request.
fn marked(reply: Option<Message>, origin: Option<Origin>) -> Option<Message> {
    reply.map(|mut reply| {
        if let Some(origin) = origin {
            origin.mark(&mut reply.properties);
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
        if self.shared.is_cut() {
            return;
        }
        let redelivered = origin.as_ref().and_then(|origin| {
            self.shared.injected.rules().take(&[Fault::RedeliverRequest], origin)
        });
        match redelivered {
            Some(_) => self.inner.requeue(tag),
            None => self.inner.finish(tag, marked(reply, origin)),
        }
    }

    fn requeue(&self, tag: u64) {
        self.settle(tag);
        if !self.shared.is_cut() {
            self.inner.requeue(tag);
        }
    }

    fn reject(&self, tag: u64, reply: Option<Message>) {
        let origin = self.settle(tag);
        if !self.shared.is_cut() {
            self.inner.reject(tag, marked(reply, origin));
        }
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.inner.stop()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
