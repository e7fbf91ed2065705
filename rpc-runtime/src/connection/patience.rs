//! The time limits for the first connection, and the pauses between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::{error::BrokerError, limits};

/// The pauses between attempts: endless, doubling up to the longest, with jitter.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(limits::FIRST_PAUSE)
        // The jitter adds up to 100 % of the delay.
        .with_max_delay(limits::LONGEST_PAUSE / 2)
        .with_jitter()
        .without_max_times()
        .build()
}

/// The time limits for the first connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The limit in any case.
    pub(crate) within: Duration,
    /// The limit if no attempt can succeed until somebody starts a broker.
    pub(crate) hopeless: Duration,
}

impl Patience {
    /// When attempts at the first connection end; `None` if that is too far away for a clock.
    pub(super) fn until(self, began: Instant) -> Option<Instant> {
        began.checked_add(self.within)
    }

    /// The pause after a failed attempt; `None` if no other attempt follows. The last attempt begins shortly before the time
    /// limit. `hopeless` is how long the failed attempt took, if it showed that no attempt can succeed. The next attempt
    /// will take as long.
    pub(super) fn pause(
        self,
        elapsed: Duration,
        hopeless: Option<Duration>,
        pause: Duration,
    ) -> Option<Duration> {
        let limit = hopeless.map_or(self.within, |_| self.hopeless.min(self.within));
        let last = limits::LAST_ATTEMPT.max(hopeless.unwrap_or_default());
        let left = limit.saturating_sub(last).checked_sub(elapsed)?;
        (!left.is_zero()).then(|| pause.min(left))
    }

    /// Adds a remedy to the error of the last attempt.
    pub(super) fn exhausted(self, error: BrokerError) -> BrokerError {
        if error.is_hopeless() && self.hopeless < self.within {
            return error.remedy(
                "if the broker may still be starting, wait for it with `BrokerBuilder::wait_for_broker`",
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
    fn attempts_end_with_the_time_limit() {
        let patience = Patience { within: millis(30_000), hopeless: millis(3_000) };
        let second = millis(1_000);
        assert_eq!(patience.pause(millis(0), Some(millis(1)), second), Some(second));
        assert_eq!(patience.pause(millis(2_500), Some(millis(1)), second), Some(millis(400)));
        assert_eq!(patience.pause(millis(2_900), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), None, second), Some(second));
        assert_eq!(patience.pause(millis(29_950), None, second), None);
        // An attempt that takes a second has to begin a second before the limit.
        assert_eq!(patience.pause(millis(1_000), Some(second), second), Some(second));
        assert_eq!(patience.pause(millis(2_100), Some(second), second), None);
        let short = Patience { within: millis(400), hopeless: millis(3_000) };
        assert_eq!(short.pause(millis(100), Some(millis(1)), second), Some(millis(200)));
        assert_eq!(short.pause(millis(300), Some(millis(1)), second), None);
    }

    #[test]
    fn any_time_limit_is_accepted() {
        let patience = Patience { within: Duration::MAX, hopeless: Duration::MAX };
        assert_eq!(patience.until(Instant::now()), None);
        assert_eq!(
            patience.pause(millis(10_000), Some(millis(1)), millis(1_000)),
            Some(millis(1_000))
        );
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        for _ in 0..100 {
            let sequence: Vec<Duration> = pauses().take(20).collect();
            assert!(sequence.iter().all(|pause| *pause >= limits::FIRST_PAUSE));
            assert!(sequence.iter().all(|pause| *pause <= limits::LONGEST_PAUSE));
            assert!(sequence.iter().skip(10).all(|pause| *pause >= limits::LONGEST_PAUSE / 2));
        }
    }
}
