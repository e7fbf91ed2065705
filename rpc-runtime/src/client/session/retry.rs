//! Sending a call again that was refused for want of room: with pauses, and not more often than there is a budget for.
//!
//! A service that is overloaded is not helped by callers that all ask again. Each call pays a tenth of a retry into the
//! budget of its broker, so that retries add a tenth to the load, and no more.

use std::sync::atomic::{AtomicU32, Ordering};

/// In tenths: what a retry costs, what a call pays in, what there is at first, and the most that can be saved.
const RETRY: u32 = 10;
const CALL: u32 = 1;
const AT_FIRST: u32 = 100;
const MOST: u32 = 1_000;

/// How many more retries the calls of a broker may make.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    tenths: AtomicU32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { tenths: AtomicU32::new(AT_FIRST) }
    }
}

impl RetryBudget {
    /// A call was made.
    pub(in crate::client) fn pay(&self) {
        let add = |tenths: u32| (tenths < MOST).then_some(tenths + CALL);
        // `Err`: there is as much as can be saved.
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Takes what a retry costs; `false` if there is not so much.
    pub(in crate::client) fn spend(&self) -> bool {
        let take = |tenths: u32| tenths.checked_sub(RETRY);
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(budget: &RetryBudget) -> usize {
        (0..10_000).take_while(|_| budget.spend()).count()
    }

    #[test]
    fn retries_are_a_tenth_of_the_calls() {
        let budget = RetryBudget::default();
        assert_eq!(spent(&budget), 10);
        (0..100).for_each(|_| budget.pay());
        assert_eq!(spent(&budget), 10);
        (0..100_000).for_each(|_| budget.pay());
        assert_eq!(spent(&budget), 100, "it is not saved without end");
    }
}
