//! Detects a runtime that stood still. lapin sends heartbeats from the runtime, so they were late.

use std::{
    io,
    time::{Duration, Instant},
};

use rpc_amqp::Error;

/// Uses the clock of the machine, as RabbitMQ does.
pub(super) struct Stalls {
    heartbeat: Duration,
    last: Option<(Duration, Instant)>,
}

impl Stalls {
    /// `heartbeat`: in seconds; 0 for none.
    pub(super) fn new(heartbeat: u16) -> Self {
        Self { heartbeat: Duration::from_secs(heartbeat.into()), last: None }
    }

    pub(super) fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// The delay of a task that should have woken at `due`, if the heartbeat cannot have been sent in time.
    pub(super) fn note(&mut self, due: Instant, now: Instant) -> Option<Duration> {
        let late = now.saturating_duration_since(due);
        let stalled = !self.heartbeat.is_zero() && late > self.heartbeat;
        stalled.then(|| {
            self.last = Some((late, now));
            late
        })
    }

    /// Adds the stall before a loss to its reason.
    pub(super) fn explain(&self, why: Error, now: Instant) -> Error {
        let recent = |(_, until): &(Duration, Instant)| {
            now.saturating_duration_since(*until) < self.heartbeat.max(Duration::from_secs(1))
        };
        match (self.last.filter(recent), why) {
            (Some((time, _)), Error::Lost(error)) => {
                let heartbeat = self.heartbeat;
                let message = format!(
                    "{error}; before that, the runtime of this connection stood still for {time:.1?}, where the \
                     heartbeat is {heartbeat:?}"
                );
                Error::Lost(io::Error::new(error.kind(), message).into())
            }
            (_, why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::lapin::error::lost;

    #[test]
    fn a_stall_beyond_the_heartbeat_explains_a_loss() {
        let (mut stalls, due) = (Stalls::new(1), Instant::now());
        let after = |milliseconds| due + Duration::from_millis(milliseconds);
        let explained = |stalls: &Stalls, now| {
            let why = stalls.explain(lost(io::ErrorKind::BrokenPipe, "it broke"), now);
            let Error::Lost(error) = why else { panic!("{why}") };
            error.to_string()
        };
        assert_eq!(stalls.note(due, after(900)), None);
        assert_eq!(explained(&stalls, after(901)), "it broke");
        assert_eq!(stalls.note(due, after(2_500)), Some(Duration::from_millis(2_500)));
        let text = explained(&stalls, after(2_600));
        assert!(text.starts_with("it broke;") && text.contains("stood still for 2.5s"), "{text}");
        assert_eq!(explained(&stalls, after(9_000)), "it broke", "that is long ago");
    }

    #[test]
    fn without_heartbeats_no_stall_counts() {
        let due = Instant::now();
        assert_eq!(Stalls::new(0).note(due, due + Duration::from_secs(60)), None);
    }
}
