//! Signs of life: one is due when nothing else was said for a while, and who gives none is taken for dead.

use std::{
    pin::Pin,
    task::Context,
    time::{Duration, Instant},
};

use tokio::time::Sleep;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    SayAlive,
    /// This process stood still: that is to be written, and a sign of life given.
    NoteStall,
    TakeForDead,
}

/// Goes by the clock of the machine, and has tokio's wake it: a connection is no deader because a test has moved that.
pub(super) struct Heartbeat {
    every: Duration,
    heard: Instant,
    said: Instant,
    timer: Pin<Box<Sleep>>,
    /// When the timer is to go off.
    wakes: Instant,
    stalled: Option<Stall>,
}

/// This process stood still: its runtime was blocked, or it was stopped.
#[derive(Debug, Clone, Copy)]
struct Stall {
    /// How long nobody looked at the timer after it had gone off.
    time: Duration,
    until: Instant,
    written: bool,
}

impl Heartbeat {
    /// `None` where neither side wants any.
    pub(super) fn new(seconds: u16) -> Option<Self> {
        (seconds > 0).then(|| Self::every(Duration::from_secs(seconds.into())))
    }

    pub(super) fn every(every: Duration) -> Self {
        let now = Instant::now();
        let timer = Box::pin(tokio::time::sleep(every / 2));
        Self { every, heard: now, said: now, timer, wakes: now + every / 2, stalled: None }
    }

    /// Something came.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// Something went out.
    pub(super) fn say(&mut self) {
        self.said = Instant::now();
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
            if left == Err(Due::SayAlive) {
                due = due.or(Some(Due::SayAlive));
                self.said = now;
                left = self.left(now);
            }
            let Ok(left) = left else { return Some(Due::TakeForDead) };
            self.timer.as_mut().reset(tokio::time::Instant::now() + left);
            self.wakes = now + left;
        }
        due
    }

    /// How long this process has just stood still, if that was longer than the interval, and whether that is asked for the
    /// first time.
    pub(super) fn stall(&mut self) -> Option<(Duration, bool)> {
        let now = Instant::now();
        self.look_for_a_stall(now);
        let stall = self.stalled.as_mut()?;
        let recent = now.saturating_duration_since(stall.until) < self.every;
        recent.then(|| (stall.time, !std::mem::replace(&mut stall.written, true)))
    }

    /// How often each side gives a sign of life at least.
    pub(super) fn interval(&self) -> Duration {
        self.every
    }

    fn look_for_a_stall(&mut self, now: Instant) -> bool {
        let late = now.saturating_duration_since(self.wakes);
        let stalled = late > self.every;
        if stalled {
            self.stalled = Some(Stall { time: late, until: now, written: false });
            // Only once.
            self.wakes = now;
        }
        stalled
    }

    /// How long nothing has to be done.
    fn left(&self, now: Instant) -> Result<Duration, Due> {
        let silence = now.saturating_duration_since(self.heard);
        let quiet = now.saturating_duration_since(self.said);
        match ((self.every * 2).checked_sub(silence), (self.every / 2).checked_sub(quiet)) {
            (None | Some(Duration::ZERO), _) => Err(Due::TakeForDead),
            (_, None | Some(Duration::ZERO)) => Err(Due::SayAlive),
            (Some(hear), Some(say)) => Ok(hear.min(say)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use super::*;

    #[tokio::test]
    async fn a_sign_of_life_is_due_after_half_and_one_is_awaited_for_twice_the_time() {
        let mut heartbeat = Heartbeat::new(8).unwrap();
        let start = heartbeat.heard;
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(heartbeat.left(after(3)), Ok(Duration::from_secs(1)));
        assert_eq!(heartbeat.left(after(4)), Err(Due::SayAlive));
        heartbeat.said = after(4);
        assert_eq!(heartbeat.left(after(6)), Ok(Duration::from_secs(2)));
        heartbeat.said = after(15);
        assert_eq!(heartbeat.left(after(15)), Ok(Duration::from_secs(1)), "before it is silent");
        assert_eq!(heartbeat.left(after(16)), Err(Due::TakeForDead));
        heartbeat.heard = after(16);
        assert_eq!(heartbeat.left(after(17)), Ok(Duration::from_secs(2)));
        assert!(Heartbeat::new(0).is_none());
    }

    #[tokio::test]
    async fn somebody_silent_is_taken_for_dead_and_not_before_it_is_time() {
        let every = Duration::from_millis(100);
        let mut heartbeat = Heartbeat::every(every);
        let start = heartbeat.heard;
        let mut due = Due::SayAlive;
        while due == Due::SayAlive {
            due = poll_fn(|cx| heartbeat.poll(cx).map_or(Poll::Pending, Poll::Ready)).await;
        }
        assert!(start.elapsed() >= every * 2, "{:?}", start.elapsed());
    }
}
