//! The calls in flight, and what came of each.

mod table;
mod timer;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::{debug, field};
use uuid::Uuid;

pub(crate) use self::table::CallGuard;
use self::table::Table;
use crate::{
    error::BrokerError,
    escape::Escaped,
    message::{Message, Properties},
    observe,
    transport::{CallerSink, PublishOutcome},
    wire::{self, ReceivedReply},
};

/// How a request that was handed to the broker ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(ReceivedReply),
    /// Only a one-way request ends with that.
    Accepted,
    Unroutable,
    Rejected,
    /// The broker does not let it through.
    Refused(Box<BrokerError>),
    /// The broker never looked at it.
    Ignored,
    /// Its channel went.
    Lost,
    /// The broker closed its channel, for this request or for another on it: it may have it.
    Interrupted,
    /// Nothing came in time.
    Expired,
}

/// The calls in flight.
#[derive(Debug)]
pub(crate) struct InFlight {
    table: Mutex<Table>,
    permits: Semaphore,
    unclaimed: AtomicU64,
}

/// A call's right to be in flight.
pub(crate) type Permit<'a> = SemaphorePermit<'a>;

impl InFlight {
    /// At most `limit` calls.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            permits: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
            unclaimed: AtomicU64::new(0),
        })
    }

    /// Takes a place among the calls in flight; `None` if there is none.
    pub(crate) fn try_permit(&self) -> Option<Permit<'_>> {
        self.permits.try_acquire().ok()
    }

    /// Takes a place among the calls in flight, as soon as there is one.
    pub(crate) async fn permit(&self) -> Option<Permit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// How many replies came that no call was waiting for.
    pub(crate) fn unclaimed(&self) -> u64 {
        self.unclaimed.load(Ordering::Relaxed)
    }

    fn end(&self, correlation_id: Uuid, outcome: Outcome) {
        if let Some(entry) = self.remove(correlation_id) {
            entry.end(outcome);
        }
    }
}

impl CallerSink for InFlight {
    fn reply(&self, message: Message) {
        let Message { properties, body, dropped, .. } = message;
        let known = wire::reply_correlation(&properties).and_then(|id| self.remove(id));
        if let Some(entry) = known {
            entry.end(Outcome::Reply(read_reply(&properties, body, dropped)));
        } else {
            self.unclaimed.fetch_add(1, Ordering::Relaxed);
            observe::late_reply();
            let id = properties.correlation_id.as_ref();
            debug!(
                correlation_id = id.map(|id| field::display(Escaped::new(id))),
                "dropped a reply that no call is waiting for: late, duplicate or forged"
            );
        }
    }

    fn unreadable(&self) {
        self.unclaimed.fetch_add(1, Ordering::Relaxed);
        observe::late_reply();
        debug!("dropped a reply whose headers are too large to be read");
    }

    fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome) {
        let ended = match outcome {
            PublishOutcome::Accepted | PublishOutcome::Passed if !self.accept(correlation_id) => {
                return;
            }
            PublishOutcome::Accepted => Outcome::Accepted,
            PublishOutcome::Passed => Outcome::Lost,
            PublishOutcome::Unroutable => Outcome::Unroutable,
            PublishOutcome::Rejected => Outcome::Rejected,
            PublishOutcome::Refused(error) => Outcome::Refused(error.into()),
            PublishOutcome::Ignored => Outcome::Ignored,
            PublishOutcome::Interrupted => Outcome::Interrupted,
        };
        self.end(correlation_id, ended);
    }
}

fn read_reply(properties: &Properties, body: Bytes, dropped: usize) -> ReceivedReply {
    if dropped > 0 {
        return ReceivedReply::Unreadable(format!(
            "the reply is {dropped} bytes, which is more than a caller keeps"
        ));
    }
    wire::read_reply(properties, body)
}

#[cfg(test)]
mod tests;
