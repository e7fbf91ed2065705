//! How long attempts to connect go on, and the pauses between them.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::{error::BrokerError, limits};

/// The pauses between attempts: doubling, with jitter, without end.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(limits::FIRST_PAUSE)
        // The jitter adds up to as much again.
        .with_max_delay(limits::LONGEST_PAUSE / 2)
        .with_jitter()
        .without_max_times()
        .build()
}

/// How long a first connection is tried for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// At most.
    pub(crate) within: Duration,
    /// Where nobody will ever answer, unless somebody starts a broker.
    pub(crate) hopeless: Duration,
}

impl Patience {
    /// When the first connection is given up; `None` where the time is too long for a clock.
    pub(super) fn until(self, began: Instant) -> Option<Instant> {
        began.checked_add(self.within)
    }

    /// How long to wait for the next attempt, where the last one failed; `None` where it was the last. The very last begins
    /// shortly before the end. `hopeless` is how long the attempt took if it showed that nobody will ever answer: the next
    /// one will take as long.
    pub(super) fn pause(
        self,
        passed: Duration,
        hopeless: Option<Duration>,
        pause: Duration,
    ) -> Option<Duration> {
        let most = hopeless.map_or(self.within, |_| self.hopeless.min(self.within));
        let last = limits::LAST_ATTEMPT.max(hopeless.unwrap_or_default());
        let left = most.saturating_sub(last).checked_sub(passed)?;
        (!left.is_zero()).then(|| pause.min(left))
    }

    /// The reason why there is no connection, with what can be done.
    pub(super) fn exhausted(self, error: BrokerError) -> BrokerError {
        if error.is_hopeless() && self.hopeless < self.within {
            return error.remedy(
                "if the broker may still be starting, have it waited for with `BrokerBuilder::wait_for_broker`",
            );
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_first_connection_is_tried_until_its_time_is_over() {
        let patience = Patience { within: millis(30_000), hopeless: millis(3_000) };
        let second = millis(1_000);
        assert_eq!(patience.pause(millis(0), Some(millis(1)), second), Some(second));
        assert_eq!(patience.pause(millis(2_500), Some(millis(1)), second), Some(millis(400)));
        assert_eq!(patience.pause(millis(2_900), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), None, second), Some(second));
        assert_eq!(patience.pause(millis(29_950), None, second), None);
        // Attempts that take a second leave room for two.
        assert_eq!(patience.pause(millis(1_000), Some(second), second), Some(second));
        assert_eq!(patience.pause(millis(2_100), Some(second), second), None);
        let short = Patience { within: millis(400), hopeless: millis(3_000) };
        assert_eq!(short.pause(millis(100), Some(millis(1)), second), Some(millis(200)));
        assert_eq!(short.pause(millis(300), Some(millis(1)), second), None);
    }

    #[test]
    fn any_time_to_connect_can_be_asked_for() {
        let patience = Patience { within: Duration::MAX, hopeless: Duration::MAX };
        assert_eq!(patience.until(Instant::now()), None);
        assert_eq!(
            patience.pause(millis(10_000), Some(millis(1)), millis(1_000)),
            Some(millis(1_000))
        );
    }

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        for _ in 0..100 {
            let taken: Vec<Duration> = pauses().take(20).collect();
            assert!(taken.iter().all(|pause| *pause >= limits::FIRST_PAUSE));
            assert!(taken.iter().all(|pause| *pause <= limits::LONGEST_PAUSE));
            assert!(taken.iter().skip(10).all(|pause| *pause >= limits::LONGEST_PAUSE / 2));
        }
    }
}
