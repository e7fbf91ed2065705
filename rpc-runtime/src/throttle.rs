//! Limits log lines that a peer can cause at any rate: one a second, with the number of lines left out.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::lock::lock;

const EVERY: Duration = Duration::from_secs(1);

/// Decides whether a line is logged.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    left_out: u64,
}

impl Throttle {
    /// The number of lines left out since the last one, if a line may be logged now; `None` if not.
    pub(crate) fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut state = lock(&self.0);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_limited_to_one_a_second() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let at = |milliseconds| throttle.pass_at(start + Duration::from_millis(milliseconds));
        assert_eq!(
            [at(0), at(1), at(999), at(1_000), at(2_500)],
            [Some(0), None, None, Some(2), Some(0)]
        );
    }
}
