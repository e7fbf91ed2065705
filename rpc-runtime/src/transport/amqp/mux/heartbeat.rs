//! Signs of life: one is due when nothing else was said for a while, and who gives none is taken for dead.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::time::Sleep;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    SayAlive,
    TakeForDead,
}

/// Goes by the clock of the machine: a connection is no deader because a test has moved tokio's.
pub(super) struct Heartbeat {
    every: Duration,
    heard: Instant,
    said: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    /// `None` where neither side wants any.
    pub(super) fn new(seconds: u16) -> Option<Self> {
        let every = Duration::from_secs(seconds.into());
        let now = Instant::now();
        (seconds > 0).then(|| Self {
            every,
            heard: now,
            said: now,
            timer: Box::pin(tokio::time::sleep(every / 2)),
        })
    }

    /// Something came.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// Something went out.
    pub(super) fn say(&mut self) {
        self.said = Instant::now();
    }

    /// The timer is set anew only when it has gone off, and not for each message.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let left = self.left(Instant::now());
            let next = match left {
                Ok(left) => left,
                Err(Due::TakeForDead) => return Poll::Ready(Due::TakeForDead),
                Err(Due::SayAlive) => self.every / 2,
            };
            self.timer.as_mut().reset(tokio::time::Instant::now() + next);
            if left.is_err() {
                self.say();
                return Poll::Ready(Due::SayAlive);
            }
        }
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
}
