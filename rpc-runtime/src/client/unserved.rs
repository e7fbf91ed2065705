//! Not sending requests to a queue that nobody consumes, for clients that would rather fail at once.
//!
//! The queue is looked at before a request is sent. Once it is sent nobody can take it back: a server that starts later runs it, and
//! one that died may have run it. So only what was not sent ends as `NoServer`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use smol_str::SmolStr;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{connection::Access, limits, lock::lock};

/// What calls do while no server consumes their queue; see
/// [`ClientBuilder::when_unserved`](crate::ClientBuilder::when_unserved).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenUnserved {
    /// They are sent, and wait in the queue for a server, until their deadline.
    #[default]
    Wait,
    /// They are not sent, and end as [`CallError::NoServer`](crate::CallError::NoServer), half a second after nobody was found
    /// to consume the queue.
    Fail,
}

/// Those queues of a broker that clients look at.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<HashMap<SmolStr, Arc<QueueWatch>>>);

impl Watches {
    /// The watch of a queue, which all its clients share.
    pub(crate) fn of(&self, queue: &SmolStr) -> Arc<QueueWatch> {
        let mut watches = lock(&self.0);
        if let Some(known) = watches.get(queue) {
            return known.clone();
        }
        // A client that is made for each call still finds what the one before it has seen.
        watches.retain(|_, watch| Arc::strong_count(watch) > 1 || watch.is_recent());
        let watch = Arc::new(QueueWatch::default());
        watches.insert(queue.clone(), watch.clone());
        watch
    }
}

/// Whether a queue is consumed, as it was seen last.
#[derive(Debug, Default)]
pub(crate) struct QueueWatch {
    seen: Mutex<Option<Seen>>,
    /// One looks, and the others wait for what it sees.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When the look began, and when it ended.
    began: Instant,
    at: Instant,
    /// When nobody was first found to consume it, if nobody does.
    unserved_since: Option<Instant>,
    /// For how long it is taken to stay so.
    good_for: Duration,
}

impl Seen {
    /// Whether it still counts: a server may have come and gone since a look of long ago.
    fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < 2 * limits::UNSERVED
    }
}

impl QueueWatch {
    /// Whether it is known that a request can be sent, without a look.
    pub(crate) fn is_served_now(&self, near: bool) -> bool {
        self.fresh(near).is_some_and(|seen| seen.unserved_since.is_none())
    }

    /// Whether nobody consumes the queue, and nobody comes to within a moment. Where that cannot be found out, somebody
    /// is taken to. A broker that is `near`, in this process, is asked each time.
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

    /// What was seen a moment ago, or is seen now.
    async fn look(&self, access: &Access, queue: &str, near: bool) -> Seen {
        if let Some(seen) = self.fresh(near) {
            return seen;
        }
        let arrived = Instant::now();
        // The call that looks may no longer be polled, so others do not wait for it for long.
        let _one = timeout(limits::LOOK_WITHIN, self.looking.lock()).await;
        let began = Instant::now();
        if let Some(seen) = self.seen_since(arrived) {
            return seen;
        }
        let looked = timeout(limits::LOOK_WITHIN, access.queue_state(queue)).await;
        // A queue that does not exist has the request returned at once.
        let unserved = matches!(looked, Ok(Ok(Some(state))) if state.consumers == 0);
        self.note(unserved, began, Instant::now())
    }

    /// What another saw that began to look after `arrived`. Not at the same instant: where a test has stopped the clock, an
    /// answer of before is of the same.
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

    /// Notes that a call was answered: so a server consumes the queue, and calls that follow each other need no look.
    pub(crate) fn answered(&self, at: Instant) {
        let good_for = limits::ANSWERED_FOR;
        *lock(&self.seen) = Some(Seen { began: at, at, unserved_since: None, good_for });
    }

    /// Whether nobody consumed the queue a moment ago.
    pub(crate) fn was_unserved(&self) -> bool {
        let seen = *lock(&self.seen);
        seen.is_some_and(|seen| seen.is_recent(Instant::now()) && seen.unserved_since.is_some())
    }

    /// Whether somebody may still wait for a server to come, or find that none has.
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

    /// A look that took no time.
    fn seen(watch: &QueueWatch, unserved: bool) -> Seen {
        watch.note(unserved, Instant::now(), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_good_for_a_moment() {
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
    async fn an_answer_is_good_for_longer_than_a_look() {
        let watch = QueueWatch::default();
        seen(&watch, true);
        watch.answered(Instant::now());
        advance(limits::ANSWERED_FOR * 9 / 10).await;
        assert!(watch.is_served_now(false) && !watch.is_served_now(true));
        advance(limits::ANSWERED_FOR / 10).await;
        assert!(!watch.is_served_now(false));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_a_look_that_began_after_they_came() {
        let (watch, came) = (QueueWatch::default(), Instant::now());
        watch.answered(came);
        assert!(watch.seen_since(came).is_none(), "an answer of the same instant is of before");
        advance(limits::SEEN_FOR).await;
        seen(&watch, true);
        assert!(watch.seen_since(came).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_is_unserved_since_the_first_look_in_a_row() {
        let (watch, first) = (QueueWatch::default(), Instant::now());
        assert_eq!(seen(&watch, true).unserved_since, Some(first));
        advance(limits::UNSERVED).await;
        assert_eq!(seen(&watch, true).unserved_since, Some(first));
        assert_eq!(seen(&watch, false).unserved_since, None);
        assert_eq!(seen(&watch, true).unserved_since, Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_of_long_ago_does_not_count() {
        let watch = QueueWatch::default();
        seen(&watch, true);
        advance(3 * limits::UNSERVED).await;
        assert_eq!(seen(&watch, true).unserved_since, Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn watches_that_nobody_needs_are_forgotten() {
        let watches = Watches::default();
        let kept = watches.of(&"kept".into());
        for queue in 0..1_000 {
            watches.of(&format!("queue-{queue}").into());
        }
        assert_eq!(lock(&watches.0).len(), 2);
        assert!(Arc::ptr_eq(&kept, &watches.of(&"kept".into())));
    }
}
