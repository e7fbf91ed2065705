//! The table of calls in flight.

use std::{
    pin::Pin,
    sync::MutexGuard,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::{InFlight, Outcome, timer::Timer};
use crate::{client::ids::ById, lock::lock};

/// Calls in flight. Whoever removes an entry decides the outcome of its call, so each has exactly one.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: ById<Entry>,
    /// Every channel up to this one is gone.
    lost: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    channel: u64,
    oneway: bool,
    /// The broker has it: what comes now is a reply.
    accepted: bool,
    outcome: oneshot::Sender<Outcome>,
}

impl Entry {
    pub(super) fn end(self, outcome: Outcome) {
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

impl InFlight {
    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
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
        let (sender, outcome) = oneshot::channel();
        let mut table = self.table();
        if channel <= table.lost {
            return Err(NotEntered);
        }
        let entry = Entry { channel, oneway, accepted: false, outcome: sender };
        table.entries.insert(correlation_id, entry);
        drop(table);
        Ok(CallGuard { in_flight: self, correlation_id, outcome, deadline, ended: false })
    }

    /// Ends every call of the channels up to this one; none can be entered for them any more.
    pub(crate) fn lose(&self, channel: u64) {
        self.lose_those(channel, |entry| entry.channel <= channel);
    }

    /// The same where the callback queue is still there: calls that the broker has taken wait for their replies, and so
    /// do those of earlier channels.
    pub(crate) fn lose_unaccepted(&self, channel: u64) {
        self.lose_those(channel, |entry| entry.unaccepted_on(channel));
    }

    fn lose_those(&self, channel: u64, which: impl Fn(&Entry) -> bool) {
        let mut table = self.table();
        table.lost = table.lost.max(channel);
        let lost: Vec<_> = table.entries.extract_if(|_, entry| which(entry)).collect();
        drop(table);
        for (_, entry) in lost {
            entry.end(Outcome::Lost);
        }
    }

    /// Lets no call be entered for a channel any more, if the broker has dealt with all that were.
    pub(crate) fn retire(&self, channel: u64) -> bool {
        let mut table = self.table();
        let settled = !table.entries.values().any(|entry| entry.unaccepted_on(channel));
        if settled {
            table.lost = table.lost.max(channel);
        }
        settled
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.table().entries.len()
    }

    /// Notes that the broker has a request; `true` if nothing else is to come of it.
    pub(super) fn accept(&self, correlation_id: Uuid) -> bool {
        self.table().entries.get_mut(&correlation_id).is_some_and(|entry| {
            entry.accepted = true;
            entry.oneway
        })
    }

    pub(super) fn remove(&self, correlation_id: Uuid) -> Option<Entry> {
        self.table().entries.remove(&correlation_id)
    }
}

/// A call's place in the table. Await it for the outcome, until its deadline. Dropping it frees the place, whatever became of
/// the call.
#[derive(Debug)]
pub(crate) struct CallGuard<'a> {
    in_flight: &'a InFlight,
    correlation_id: Uuid,
    outcome: oneshot::Receiver<Outcome>,
    deadline: Instant,
    /// The entry is gone.
    ended: bool,
}

impl CallGuard<'_> {
    pub(crate) fn correlation_id(&self) -> Uuid {
        self.correlation_id
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.in_flight.remove(self.correlation_id);
        }
    }
}

impl<'a> IntoFuture for CallGuard<'a> {
    type Output = Outcome;
    type IntoFuture = Waiting<'a>;

    fn into_future(self) -> Waiting<'a> {
        Waiting { guard: self, timer: Timer::default() }
    }
}

pin_project! {
    /// The wait for the outcome of a call. The timer is here and not in the guard, because a call in flight has room for two
    /// guard.
    pub(crate) struct Waiting<'a> {
        guard: CallGuard<'a>,
        #[pin]
        timer: Timer,
    }
}

impl Future for Waiting<'_> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.project();
        if let Poll::Ready(outcome) = Pin::new(&mut this.guard.outcome).poll(cx) {
            this.guard.ended = true;
            // The sender is dropped without an outcome only together with the table.
            return Poll::Ready(outcome.unwrap_or(Outcome::Lost));
        }
        this.timer.poll_until(this.guard.deadline, cx).map(|()| Outcome::Expired)
    }
}
