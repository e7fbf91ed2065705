//! Heartbeats: one is due when nothing else was sent for a while, and a broker without any counts as lost.

use std::{
    pin::Pin,
    task::Context,
    time::{Duration, Instant},
};

use tokio::time::Sleep;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Send,
    /// This process stood still: that is to be reported, and a heartbeat sent.
    NoteStall,
    GiveUp,
}

/// Goes by the clock of the machine, and is woken by tokio's: a test that moves tokio's clock ends no connection.
pub(super) struct Heartbeat {
    every: Duration,
    received: Instant,
    sent: Instant,
    timer: Pin<Box<Sleep>>,
    /// When the timer is to go off.
    wakes: Instant,
    stalled: Option<Stalled>,
}

/// The runtime of a connection stood still: a task blocked its thread, or the process was stopped. RabbitMQ closes a connection
/// that is silent for twice the heartbeat.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Stall {
    /// For how long.
    pub time: Duration,
    /// The interval of the heartbeat.
    pub heartbeat: Duration,
}

struct Stalled {
    /// How long the timer was not polled after it had gone off.
    time: Duration,
    until: Instant,
    reported: bool,
}

impl Heartbeat {
    /// `None` where neither side wants any.
    pub(super) fn new(seconds: u16) -> Option<Self> {
        (seconds > 0).then(|| Self::every(Duration::from_secs(seconds.into())))
    }

    pub(super) fn every(every: Duration) -> Self {
        let now = Instant::now();
        let timer = Box::pin(tokio::time::sleep(every / 2));
        Self { every, received: now, sent: now, timer, wakes: now + every / 2, stalled: None }
    }

    pub(super) fn received(&mut self) {
        self.received = Instant::now();
    }

    pub(super) fn sent(&mut self) {
        self.sent = Instant::now();
    }

    /// What is due, if anything; it is to be asked again when it wakes. The timer is set anew only when it has gone off, and
    /// not for each message.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Due> {
        let mut due = None;
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if self.look_for_a_stall(now) {
                due = Some(Due::NoteStall);
            }
            let mut left = self.left(now);
            if left == Err(Due::Send) {
                due = due.or(Some(Due::Send));
                self.sent = now;
                left = self.left(now);
            }
            let Ok(left) = left else { return Some(Due::GiveUp) };
            self.timer.as_mut().reset(tokio::time::Instant::now() + left);
            self.wakes = now + left;
        }
        due
    }

    /// How long this process has just stood still, if that was longer than the interval. `true` for the first question.
    pub(super) fn stall(&mut self) -> Option<(Stall, bool)> {
        let now = Instant::now();
        self.look_for_a_stall(now);
        let stall = self.stalled.as_mut()?;
        let recent = now.saturating_duration_since(stall.until) < self.every;
        recent.then(|| {
            let new = !std::mem::replace(&mut stall.reported, true);
            (Stall { time: stall.time, heartbeat: self.every }, new)
        })
    }

    fn look_for_a_stall(&mut self, now: Instant) -> bool {
        let late = now.saturating_duration_since(self.wakes);
        let stalled = late > self.every;
        if stalled {
            self.stalled = Some(Stalled { time: late, until: now, reported: false });
            // Only once.
            self.wakes = now;
        }
        stalled
    }

    /// How long nothing has to be done.
    fn left(&self, now: Instant) -> Result<Duration, Due> {
        let silence = now.saturating_duration_since(self.received);
        let quiet = now.saturating_duration_since(self.sent);
        match ((self.every * 2).checked_sub(silence), (self.every / 2).checked_sub(quiet)) {
            (None | Some(Duration::ZERO), _) => Err(Due::GiveUp),
            (_, None | Some(Duration::ZERO)) => Err(Due::Send),
            (Some(receive), Some(send)) => Ok(receive.min(send)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use super::*;

    #[tokio::test]
    async fn heartbeats_are_sent_after_half_the_interval() {
        let mut heartbeat = Heartbeat::new(8).unwrap();
        let start = heartbeat.received;
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(heartbeat.left(after(3)), Ok(Duration::from_secs(1)));
        assert_eq!(heartbeat.left(after(4)), Err(Due::Send));
        heartbeat.sent = after(4);
        assert_eq!(heartbeat.left(after(6)), Ok(Duration::from_secs(2)));
        heartbeat.sent = after(15);
        assert_eq!(heartbeat.left(after(15)), Ok(Duration::from_secs(1)), "before it is silent");
        assert_eq!(heartbeat.left(after(16)), Err(Due::GiveUp));
        heartbeat.received = after(16);
        assert_eq!(heartbeat.left(after(17)), Ok(Duration::from_secs(2)));
        assert!(Heartbeat::new(0).is_none());
    }

    #[tokio::test]
    async fn a_silent_broker_is_given_up_in_time() {
        let every = Duration::from_millis(100);
        let mut heartbeat = Heartbeat::every(every);
        let start = heartbeat.received;
        let mut due = Due::Send;
        while due == Due::Send {
            due = poll_fn(|cx| heartbeat.poll(cx).map_or(Poll::Pending, Poll::Ready)).await;
        }
        assert!(start.elapsed() >= every * 2, "{:?}", start.elapsed());
    }
}
