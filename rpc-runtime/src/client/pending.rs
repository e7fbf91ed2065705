//! The calls in flight, and what came of each.

mod deadlines;

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit, oneshot},
    time::{Instant, Sleep, sleep_until},
};
use tracing::{debug, field};
use uuid::Uuid;

use self::deadlines::{Deadlines, Watched, Watcher};
use super::ids::ById;
use crate::{
    envelope::{self, ReceivedReply},
    error::BrokerError,
    observe, tasks,
    transport::{CallerSink, Fate, Message},
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
    /// Nothing came in time.
    Expired,
}

/// The table of calls in flight. Whoever removes an entry decides the outcome of its call, so each has exactly one.
#[derive(Debug)]
pub(crate) struct Pending {
    table: Mutex<Table>,
    slots: Semaphore,
    unclaimed: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    entries: ById<Entry>,
    deadlines: Deadlines,
    /// Every channel up to this one is gone.
    lost: u64,
}

#[derive(Debug)]
struct Entry {
    channel: u64,
    oneway: bool,
    /// The broker has it: what comes now is a reply.
    accepted: bool,
    outcome: oneshot::Sender<Outcome>,
}

impl Table {
    fn split<T>(&mut self, with: impl FnOnce(&mut Deadlines, &mut ById<Entry>) -> T) -> T {
        with(&mut self.deadlines, &mut self.entries)
    }
}

impl Entry {
    fn end(self, outcome: Outcome) {
        // A receiver that is gone has no use for the news.
        let _ = self.outcome.send(outcome);
    }

    fn unaccepted_on(&self, channel: u64) -> bool {
        self.channel == channel && !self.accepted
    }
}

/// A call was not entered, because the channel it was for is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotEntered;

/// A call's right to be in flight.
#[derive(Debug)]
pub(crate) struct Slot<'a>(#[allow(dead_code, reason = "held, not read")] SemaphorePermit<'a>);

impl Pending {
    /// A table that takes at most `limit` calls.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            slots: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
            unclaimed: AtomicU64::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code of a user runs under the lock, so a poisoned one is as good as another.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place among the calls in flight; `None` if there is none.
    pub(crate) fn try_slot(&self) -> Option<Slot<'_>> {
        self.slots.try_acquire().ok().map(Slot)
    }

    /// Takes a place among the calls in flight, as soon as there is one.
    pub(crate) async fn slot(&self) -> Option<Slot<'_>> {
        self.slots.acquire().await.ok().map(Slot)
    }

    /// Enters a call before it is published, so that no reply can come too early. It ends at its deadline, whatever comes.
    /// The id is one that no other sending has.
    pub(crate) fn enter(
        self: &Arc<Self>,
        correlation_id: Uuid,
        channel: u64,
        oneway: bool,
        deadline: Instant,
    ) -> Result<Ticket<'_>, NotEntered> {
        let runtime = Handle::current();
        let (sender, outcome) = oneshot::channel();
        let mut table = self.lock();
        if channel <= table.lost {
            return Err(NotEntered);
        }
        let watched = table.split(|deadlines, entries| {
            entries.insert(
                correlation_id,
                Entry { channel, oneway, accepted: false, outcome: sender },
            );
            deadlines.add(deadline, correlation_id, runtime.id(), entries)
        });
        drop(table);
        let timer = match watched {
            Watched::Already => None,
            Watched::Once(sooner) => {
                tasks::spawn(Watcher::new(self, sooner).run());
                None
            }
            Watched::Elsewhere => Some(Box::pin(sleep_until(deadline))),
        };
        Ok(Ticket { pending: self, correlation_id, outcome, timer, ended: false })
    }

    /// Ends every call of the channels up to this one; none can be entered for them any more.
    pub(crate) fn lose(&self, channel: u64) {
        self.lose_where(channel, |entry| entry.channel <= channel);
    }

    /// The same where the callback queue is still there: calls that the broker has taken wait for their replies, and so
    /// do those of earlier channels.
    pub(crate) fn lose_unaccepted(&self, channel: u64) {
        self.lose_where(channel, |entry| entry.unaccepted_on(channel));
    }

    /// Lets no call be entered for a channel any more, if the broker has dealt with all that were.
    pub(crate) fn retire(&self, channel: u64) -> bool {
        let mut table = self.lock();
        let settled = !table.entries.values().any(|entry| entry.unaccepted_on(channel));
        if settled {
            table.lost = table.lost.max(channel);
        }
        settled
    }

    fn lose_where(&self, channel: u64, which: impl Fn(&Entry) -> bool) {
        let mut table = self.lock();
        table.lost = table.lost.max(channel);
        let lost: Vec<Entry> =
            table.entries.extract_if(|_, entry| which(entry)).map(|(_, e)| e).collect();
        drop(table);
        for entry in lost {
            entry.end(Outcome::Lost);
        }
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// How many replies came that no call was waiting for.
    pub(crate) fn unclaimed(&self) -> u64 {
        self.unclaimed.load(Ordering::Relaxed)
    }

    /// Notes that the broker has a request; `true` if nothing else is to come of it.
    fn accept(&self, correlation_id: Uuid) -> bool {
        self.lock().entries.get_mut(&correlation_id).is_some_and(|entry| {
            entry.accepted = true;
            entry.oneway
        })
    }

    fn end(&self, correlation_id: Uuid, outcome: Outcome) {
        let entry = self.lock().entries.remove(&correlation_id);
        if let Some(entry) = entry {
            entry.end(outcome);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.lock().deadlines.wake();
    }
}

impl CallerSink for Pending {
    fn reply(&self, message: Message) {
        let known = envelope::reply_correlation(&message.properties)
            .and_then(|id| self.lock().entries.remove(&id));
        if let Some(entry) = known {
            entry.end(Outcome::Reply(envelope::read_reply(&message.properties, message.body)));
        } else {
            self.unclaimed.fetch_add(1, Ordering::Relaxed);
            observe::late_reply();
            debug!(
                correlation_id = message.properties.correlation_id.as_ref().map(field::display),
                "dropped a reply that no call is waiting for: late, duplicate or forged"
            );
        }
    }

    fn settled(&self, correlation_id: Uuid, fate: Fate) {
        match fate {
            Fate::Accepted => {
                if self.accept(correlation_id) {
                    self.end(correlation_id, Outcome::Accepted);
                }
            }
            Fate::Unroutable => self.end(correlation_id, Outcome::Unroutable),
            Fate::Rejected => self.end(correlation_id, Outcome::Rejected),
            Fate::Refused(error) => self.end(correlation_id, Outcome::Refused(error.into())),
            Fate::Passed => {
                if self.accept(correlation_id) {
                    self.end(correlation_id, Outcome::Lost);
                }
            }
            Fate::Ignored => self.end(correlation_id, Outcome::Ignored),
        }
    }
}

/// A call's place in the table, and the wait for its outcome. Dropping it frees the place, whatever became of the call.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    pending: &'a Pending,
    correlation_id: Uuid,
    outcome: oneshot::Receiver<Outcome>,
    /// Where nobody else sees to its deadline.
    timer: Option<Pin<Box<Sleep>>>,
    /// The entry is gone.
    ended: bool,
}

impl Ticket<'_> {
    pub(crate) fn correlation_id(&self) -> Uuid {
        self.correlation_id
    }
}

impl Future for Ticket<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Poll::Ready(outcome) = Pin::new(&mut self.outcome).poll(cx) {
            self.ended = true;
            // The sender goes without a word only together with the table.
            return Poll::Ready(outcome.unwrap_or(Outcome::Lost));
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(Outcome::Expired);
        }
        Poll::Pending
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.pending.lock().entries.remove(&self.correlation_id);
        }
    }
}

#[cfg(test)]
mod tests;
