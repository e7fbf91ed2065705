//! Limits retries of calls that were refused because of overload: with pauses, and with a budget.
//!
//! An overloaded service gets worse if all callers retry. Each call adds a tenth of a retry to the budget of its
//! broker, so retries add at most a tenth to the load.

use std::sync::atomic::{AtomicU32, Ordering};

/// In tenths: the cost of a retry, the payment of a call, the initial budget, and the maximum budget.
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
    /// Adds the payment of one call.
    pub(in crate::client) fn pay(&self) {
        let add = |tenths: u32| (tenths < MOST).then_some(tenths + CALL);
        // `Err` means that the budget is at its maximum.
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Takes the cost of a retry. `false` if the budget is too small.
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
