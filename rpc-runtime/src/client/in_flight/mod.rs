//! The calls in flight, and what came of each.

mod table;
mod timer;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};
use tracing::{debug, field};
use uuid::Uuid;

use self::table::Table;
pub(crate) use self::table::{CallGuard, NotEntered};
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
    table: Table,
    permits: Semaphore,
    unclaimed: AtomicU64,
}

/// A call's right to be in flight.
#[derive(Debug)]
pub(crate) struct Permit<'a>(#[allow(dead_code, reason = "held, not read")] SemaphorePermit<'a>);

impl InFlight {
    /// At most `limit` calls.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Table::default(),
            permits: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
            unclaimed: AtomicU64::new(0),
        })
    }

    /// Takes a place among the calls in flight; `None` if there is none.
    pub(crate) fn try_permit(&self) -> Option<Permit<'_>> {
        self.permits.try_acquire().ok().map(Permit)
    }

    /// Takes a place among the calls in flight, as soon as there is one.
    pub(crate) async fn permit(&self) -> Option<Permit<'_>> {
        self.permits.acquire().await.ok().map(Permit)
    }

    /// Enters a call before it is published, so that no reply can come too early. It ends at its deadline, whatever comes.
    /// The id is a random one that no other sending has.
    pub(crate) fn enter(
        &self,
        correlation_id: Uuid,
        channel: u64,
        oneway: bool,
        deadline: Instant,
    ) -> Result<CallGuard<'_>, NotEntered> {
        self.table.enter(correlation_id, channel, oneway, deadline)
    }

    /// Ends every call of the channels up to this one; none can be entered for them any more.
    pub(crate) fn lose(&self, channel: u64) {
        self.table.lose(channel, |entry| entry.channel <= channel);
    }

    /// The same where the callback queue is still there: calls that the broker has taken wait for their replies, and so
    /// do those of earlier channels.
    pub(crate) fn lose_unaccepted(&self, channel: u64) {
        self.table.lose(channel, |entry| entry.unaccepted_on(channel));
    }

    /// Lets no call be entered for a channel any more, if the broker has dealt with all that were.
    pub(crate) fn retire(&self, channel: u64) -> bool {
        self.table.retire(channel)
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// How many replies came that no call was waiting for.
    pub(crate) fn unclaimed(&self) -> u64 {
        self.unclaimed.load(Ordering::Relaxed)
    }

    fn accept(&self, correlation_id: Uuid) -> bool {
        self.table.accept(correlation_id)
    }

    fn end(&self, correlation_id: Uuid, outcome: Outcome) {
        if let Some(entry) = self.table.remove(correlation_id) {
            entry.end(outcome);
        }
    }
}

impl CallerSink for InFlight {
    fn reply(&self, message: Message) {
        let known =
            wire::reply_correlation(&message.properties).and_then(|id| self.table.remove(id));
        if let Some(entry) = known {
            entry.end(Outcome::Reply(read_reply(
                &message.properties,
                message.body,
                message.dropped,
            )));
        } else {
            self.unclaimed.fetch_add(1, Ordering::Relaxed);
            observe::late_reply();
            let id = message.properties.correlation_id.as_ref();
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
        match outcome {
            PublishOutcome::Accepted => {
                if self.accept(correlation_id) {
                    self.end(correlation_id, Outcome::Accepted);
                }
            }
            PublishOutcome::Unroutable => self.end(correlation_id, Outcome::Unroutable),
            PublishOutcome::Rejected => self.end(correlation_id, Outcome::Rejected),
            PublishOutcome::Refused(error) => {
                self.end(correlation_id, Outcome::Refused(error.into()));
            }
            PublishOutcome::Passed => {
                if self.accept(correlation_id) {
                    self.end(correlation_id, Outcome::Lost);
                }
            }
            PublishOutcome::Ignored => self.end(correlation_id, Outcome::Ignored),
            PublishOutcome::Interrupted => self.end(correlation_id, Outcome::Interrupted),
        }
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
