//! Fails calls to a queue without consumers before they are sent, for clients that prefer to fail at once.
//!
//! The queue is checked before a request is sent. A request that was sent cannot be cancelled: a server that starts
//! later runs it, and a server that died may have run it. So only a request that was not sent ends as `NoServer`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use smol_str::SmolStr;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{connection::Access, limits, lock::lock};

/// What calls do while no server consumes their queue. See
/// [`ClientBuilder::when_unserved`](crate::ClientBuilder::when_unserved).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenUnserved {
    /// They are sent, and wait in the queue for a server until their deadline.
    #[default]
    Wait,
    /// They are not sent. They end as [`CallError::NoServer`](crate::CallError::NoServer) when the queue has had no
    /// consumer for half a second.
    Fail,
}

/// The watches of a broker's queues.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<HashMap<SmolStr, Arc<QueueWatch>>>);

impl Watches {
    /// The watch of a queue. All its clients share it.
    pub(crate) fn of(&self, queue: &SmolStr) -> Arc<QueueWatch> {
        let mut watches = lock(&self.0);
        if let Some(known) = watches.get(queue) {
            return known.clone();
        }
        // A recent watch is kept, because the next client may be made for a single call and can use its result.
        watches.retain(|_, watch| Arc::strong_count(watch) > 1 || watch.is_recent());
        let watch = Arc::new(QueueWatch::default());
        watches.insert(queue.clone(), watch.clone());
        watch
    }
}

/// The last known state of a queue's consumers.
#[derive(Debug, Default)]
pub(crate) struct QueueWatch {
    seen: Mutex<Option<Seen>>,
    /// One call checks the queue, and the others wait for its result.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When the check began, and when it ended.
    began: Instant,
    at: Instant,
    /// When the queue was first found without a consumer. `None` if it has one.
    unserved_since: Option<Instant>,
    /// How long the result stays valid.
    good_for: Duration,
}

impl Seen {
    /// Whether the result still counts. A server may have come and gone since an old check.
    fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < 2 * limits::UNSERVED
    }
}

impl QueueWatch {
    /// Whether a request can be sent without a check.
    pub(crate) fn is_served_now(&self, near: bool) -> bool {
        self.fresh(near).is_some_and(|seen| seen.unserved_since.is_none())
    }

    /// Whether the queue has no consumer and gets none within a moment. An unknown state counts as consumed. A broker
    /// that is `near`, in this process, is asked each time.
    pub(crate) async fn is_unserved(&self, access: &Access, queue: &str, near: bool) -> bool {
        loop {
            let seen = self.look(access, queue, near).await;
            let Some(since) = seen.unserved_since else { return false };
            if seen.at.saturating_duration_since(since) >= limits::UNSERVED {
                return true;
            }
            sleep_until(since + limits::UNSERVED).await;
        }
    }

    /// A recent result, or that of a new check.
    async fn look(&self, access: &Access, queue: &str, near: bool) -> Seen {
        if let Some(seen) = self.fresh(near) {
            return seen;
        }
        let arrived = Instant::now();
        // Others wait only briefly, because the call that checks may no longer be polled.
        let _one = timeout(limits::LOOK_WITHIN, self.looking.lock()).await;
        let began = Instant::now();
        if let Some(seen) = self.seen_since(arrived) {
            return seen;
        }
        let looked = timeout(limits::LOOK_WITHIN, access.queue_state(queue)).await;
        // A request to a queue that does not exist is returned at once.
        let unserved = matches!(looked, Ok(Ok(Some(state))) if state.consumers == 0);
        self.note(unserved, began, Instant::now())
    }

    /// The result of another call's check that began after `arrived`. The same instant does not count: if a test has
    /// stopped the clock, an older result may have it.
    fn seen_since(&self, arrived: Instant) -> Option<Seen> {
        let seen = *lock(&self.seen);
        seen.filter(|seen| seen.began > arrived)
    }

    fn note(&self, unserved: bool, began: Instant, at: Instant) -> Seen {
        let mut last = lock(&self.seen);
        let before = last.filter(|seen| seen.is_recent(at)).and_then(|seen| seen.unserved_since);
        let unserved_since = unserved.then(|| before.unwrap_or(at));
        let seen = Seen { began, at, unserved_since, good_for: limits::SEEN_FOR };
        *last = Some(seen);
        seen
    }

    /// Notes that a call got a reply. A server consumes the queue, so the next calls need no check.
    pub(crate) fn answered(&self, at: Instant) {
        let good_for = limits::ANSWERED_FOR;
        *lock(&self.seen) = Some(Seen { began: at, at, unserved_since: None, good_for });
    }

    /// Whether the queue had no consumer a moment ago.
    pub(crate) fn was_unserved(&self) -> bool {
        let seen = *lock(&self.seen);
        seen.is_some_and(|seen| seen.is_recent(Instant::now()) && seen.unserved_since.is_some())
    }

    /// Whether a call may still wait for a server, or for the result that there is none.
    fn is_recent(&self) -> bool {
        lock(&self.seen).is_some_and(|seen| seen.is_recent(Instant::now()))
    }

    fn fresh(&self, near: bool) -> Option<Seen> {
        let seen = *lock(&self.seen);
        seen.filter(|seen| !near && seen.at.elapsed() < seen.good_for)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// A check that took no time.
    fn seen(watch: &QueueWatch, unserved: bool) -> Seen {
        watch.note(unserved, Instant::now(), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_counts_for_a_moment() {
        let watch = QueueWatch::default();
        assert!(!watch.is_served_now(false), "nobody has looked");
        seen(&watch, false);
        assert!(!watch.is_served_now(true), "to ask costs nothing");
        advance(limits::SEEN_FOR * 9 / 10).await;
        assert!(watch.is_served_now(false));
        advance(limits::SEEN_FOR / 10).await;
        assert!(!watch.is_served_now(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_counts_longer_than_a_check() {
        let watch = QueueWatch::default();
        seen(&watch, true);
        watch.answered(Instant::now());
        advance(limits::ANSWERED_FOR * 9 / 10).await;
        assert!(watch.is_served_now(false) && !watch.is_served_now(true));
        advance(limits::ANSWERED_FOR / 10).await;
        assert!(!watch.is_served_now(false));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_calls_share_a_later_check() {
        let (watch, came) = (QueueWatch::default(), Instant::now());
        watch.answered(came);
        assert!(watch.seen_since(came).is_none(), "an answer of the same instant is of before");
        advance(limits::SEEN_FOR).await;
        seen(&watch, true);
        assert!(watch.seen_since(came).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn unserved_time_starts_at_the_first_check() {
        let (watch, first) = (QueueWatch::default(), Instant::now());
        assert_eq!(seen(&watch, true).unserved_since, Some(first));
        advance(limits::UNSERVED).await;
        assert_eq!(seen(&watch, true).unserved_since, Some(first));
        assert_eq!(seen(&watch, false).unserved_since, None);
        assert_eq!(seen(&watch, true).unserved_since, Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_check_does_not_count() {
        let watch = QueueWatch::default();
        seen(&watch, true);
        advance(3 * limits::UNSERVED).await;
        assert_eq!(seen(&watch, true).unserved_since, Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn unused_watches_are_removed() {
        let watches = Watches::default();
        let kept = watches.of(&"kept".into());
        for queue in 0..1_000 {
            watches.of(&format!("queue-{queue}").into());
        }
        assert_eq!(lock(&watches.0).len(), 2);
        assert!(Arc::ptr_eq(&kept, &watches.of(&"kept".into())));
    }
}
