//! Counters of a server.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::transport::Refused;

/// What a server has done since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerStats {
    /// Requests taken from a queue.
    pub requests: u64,
    /// Methods that returned, with a result or an application error.
    pub answered: u64,
    /// Requests that were refused. Panics are included.
    pub faults: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Requests that did not run because the server sends no reply to their `reply_to`.
    pub refused_reply_to: u64,
    /// Replies and refusals that were not sent, because the request was one-way.
    pub unasked: u64,
    /// Requests that were rejected because their headers are too large to read.
    pub unreadable: u64,
    /// Replies that reached no caller. RabbitMQ returned them because their callers were gone, or refused them.
    pub undeliverable: u64,
    /// Requests given back to their queue. They were not started or not finished.
    pub given_back: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: Counter,
    pub(super) answered: Counter,
    pub(super) faults: Counter,
    pub(super) panics: Counter,
    pub(super) refused_reply_to: Counter,
    pub(super) unasked: Counter,
    pub(super) undeliverable: Arc<AtomicU64>,
    /// Deliveries that were refused before they became requests.
    pub(super) refused: Arc<Refused>,
    pub(super) given_back: Counter,
    /// Handlers that did not end before the server did. Their requests went back to the queue.
    pub(super) stopped: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn snapshot(&self) -> ServerStats {
        ServerStats {
            requests: self.requests.get(),
            answered: self.answered.get(),
            faults: self.faults.get(),
            panics: self.panics.get(),
            refused_reply_to: self.refused_reply_to.get()
                + self.refused.reply_to.load(Ordering::Relaxed),
            unreadable: self.refused.headers.load(Ordering::Relaxed),
            unasked: self.unasked.get(),
            undeliverable: self.undeliverable.load(Ordering::Relaxed),
            given_back: self.given_back.get(),
        }
    }
}
