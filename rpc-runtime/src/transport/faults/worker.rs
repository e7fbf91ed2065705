//! A server's channel: requests come to it, replies leave it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::StreamExt;
use smol_str::SmolStr;

use super::{
    Wire,
    rules::{Fault, Origin},
};
use crate::transport::{BoxFuture, Message, OpenWorker, WorkerChannel};

/// The methods of what was delivered and is not settled: no more than the channel's prefetch.
#[derive(Default)]
struct Unsettled(Mutex<HashMap<u64, Option<SmolStr>>>);

impl Unsettled {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Option<SmolStr>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    let noted = unsettled.clone();
    let deliveries = deliveries.take_until(wire.lost()).inspect(move |delivery| {
        noted.lock().insert(delivery.tag, delivery.properties.kind.clone());
    });
    let worker = FaultyWorker { inner, queue, unsettled, wire: wire.clone() };
    (Arc::new(worker), Box::pin(deliveries))
}

impl FaultyWorker {
    /// Where the request came to that is settled herewith; `None` if there is nothing to be injected.
    fn settle(&self, tag: u64) -> Option<Origin> {
        let method = self.unsettled.lock().remove(&tag)?;
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
    fn finish(&self, tag: u64, reply: Option<Message>) {
        let origin = self.settle(tag);
        if self.wire.is_cut() {
            return;
        }
        let redelivered = origin
            .as_ref()
            .and_then(|origin| self.wire.injected.take(&[Fault::RedeliverRequest], origin));
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
