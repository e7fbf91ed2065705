//! The table of calls in flight.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::{Outcome, timer::Timer};
use crate::client::ids::ById;

/// Calls in flight. Whoever removes an entry decides the outcome of its call, so each has exactly one.
#[derive(Debug, Default)]
pub(super) struct Table(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    entries: ById<Entry>,
    /// Every channel up to this one is gone.
    lost: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) channel: u64,
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

    pub(super) fn unaccepted_on(&self, channel: u64) -> bool {
        self.channel == channel && !self.accepted
    }
}

/// A call was not entered, because the channel it was for is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotEntered;

impl Content {
    /// Lets no call be entered any more for the channels up to this one.
    fn close(&mut self, channel: u64) {
        self.lost = self.lost.max(channel);
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Content> {
        // No code of a user runs under the lock, so a poisoned one is as good as another.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(
        &self,
        correlation_id: Uuid,
        channel: u64,
        oneway: bool,
        deadline: Instant,
    ) -> Result<CallGuard<'_>, NotEntered> {
        let (sender, outcome) = oneshot::channel();
        let mut content = self.lock();
        if channel <= content.lost {
            return Err(NotEntered);
        }
        let entry = Entry { channel, oneway, accepted: false, outcome: sender };
        content.entries.insert(correlation_id, entry);
        drop(content);
        Ok(CallGuard { table: self, correlation_id, outcome, deadline, ended: false })
    }

    /// Ends the calls that are lost with a channel.
    pub(super) fn lose(&self, channel: u64, which: impl Fn(&Entry) -> bool) {
        let mut content = self.lock();
        content.close(channel);
        let lost: Vec<_> = content.entries.extract_if(|_, entry| which(entry)).collect();
        drop(content);
        for (_, entry) in lost {
            entry.end(Outcome::Lost);
        }
    }

    /// Lets no call be entered for a channel any more, if the broker has dealt with all that were.
    pub(super) fn retire(&self, channel: u64) -> bool {
        let mut content = self.lock();
        let settled = !content.entries.values().any(|entry| entry.unaccepted_on(channel));
        if settled {
            content.close(channel);
        }
        settled
    }

    pub(super) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Notes that the broker has a request; `true` if nothing else is to come of it.
    pub(super) fn accept(&self, correlation_id: Uuid) -> bool {
        self.lock().entries.get_mut(&correlation_id).is_some_and(|entry| {
            entry.accepted = true;
            entry.oneway
        })
    }

    pub(super) fn remove(&self, correlation_id: Uuid) -> Option<Entry> {
        self.lock().entries.remove(&correlation_id)
    }
}

/// A call's place in the table. Await it for the outcome, until its deadline. Dropping it frees the place, whatever became of
/// the call.
#[derive(Debug)]
pub(crate) struct CallGuard<'a> {
    table: &'a Table,
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
            self.table.remove(self.correlation_id);
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
