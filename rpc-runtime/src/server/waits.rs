//! How long requests waited in their queue, without trusting that the caller's clock agrees with ours.
//!
//! A request carries the time when it was sent. The difference to its arrival is the offset of the two clocks, the
//! latency and the wait. The smallest difference seen for a caller is taken as offset plus latency. The rest is the wait.
//!
//! Everything here comes from outside. A caller is a `reply_to` together with a `user_id`, which RabbitMQ verifies. A wrong
//! time can only shorten the deadlines of requests with the same two. Callers that do not announce their user are safe as
//! long as nobody else knows their `reply_to`.

use std::{hash::BuildHasher as _, sync::Mutex, time::Duration};

use foldhash::quality::RandomState;

use crate::{limits, lock::lock};

/// How many callers a set holds. In a full set, a new caller replaces the one that was not seen for the longest time.
const SET: usize = 4;

/// What is known of the callers that were seen last.
pub(super) struct Waits {
    sets: Box<[Mutex<[Option<Seen>; SET]>]>,
    /// Has random keys, so that nobody outside can tell which callers share a set.
    hasher: RandomState,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            sets: (0..limits::REMEMBERED_CALLERS / SET).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
        }
    }
}

impl Waits {
    /// How long a request that arrives now has waited. Zero for the first request of its caller.
    ///
    /// `sent` and `came` are milliseconds since the Unix epoch, by the caller's clock and by ours. `longest` is the time
    /// after which the broker drops it from its queue; `None` if it never does.
    pub(super) fn waited(
        &self,
        reply_to: &str,
        user_id: Option<&str>,
        sent: i64,
        came: i64,
        longest: Option<Duration>,
    ) -> Duration {
        let caller = self.hasher.hash_one((reply_to, user_id));
        // The length is not zero, and the rest is smaller than it.
        let index = usize::try_from(caller % self.sets.len() as u64).unwrap_or_default();
        let Some(places) = self.sets.get(index) else { return Duration::ZERO };
        let mut places = lock(places);
        if let Some(seen) = places.iter_mut().flatten().find(|seen| seen.caller == caller) {
            return seen.waited(sent, came, longest);
        }
        let place = places.iter_mut().min_by_key(|place| place.as_ref().map(|seen| seen.last));
        if let Some(place) = place {
            *place = Some(Seen::first(caller, sent, came));
        }
        Duration::ZERO
    }
}

/// What was seen of one caller.
struct Seen {
    caller: u64,
    /// The smallest difference of this period, and of the one before: so that a clock that was set is forgotten.
    smallest: i64,
    smallest_before: i64,
    /// When this period began, and when the caller was last seen, by our clock.
    period: i64,
    last: i64,
}

impl Seen {
    fn first(caller: u64, sent: i64, came: i64) -> Self {
        let difference = came.saturating_sub(sent);
        Self { caller, smallest: difference, smallest_before: difference, period: came, last: came }
    }

    fn waited(&mut self, sent: i64, came: i64, longest: Option<Duration>) -> Duration {
        let difference = came.saturating_sub(sent);
        self.last = came;
        if came.saturating_sub(self.period) >= limits::CLOCKS_AGREE_FOR_MS {
            (self.smallest_before, self.smallest) = (self.smallest, difference);
            self.period = came;
        }
        self.smallest = self.smallest.min(difference);
        let excess = difference.saturating_sub(self.smallest.min(self.smallest_before));
        if excess == 0 {
            return Duration::ZERO;
        }
        let waited = Duration::from_millis(u64::try_from(excess).unwrap_or_default());
        if longest.is_some_and(|longest| waited > longest.saturating_add(limits::ON_ITS_WAY)) {
            // The broker would have dropped it: so a clock was set, or a time was wrong.
            *self = Self::first(self.caller, sent, came);
            return Duration::ZERO;
        }
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE_MS: i64 = 60_000;
    const NOW: i64 = 0;

    /// When a request was sent that comes now, after this difference.
    fn sent(difference: i64) -> i64 {
        NOW.saturating_sub(difference)
    }

    /// Waits of one caller, in milliseconds, by differences that were seen one after the other.
    fn waits(differences: &[i64], longest: Option<Duration>) -> Vec<u128> {
        let waits = Waits::default();
        let one = |difference: &i64| {
            waits.waited("amq.gen-a", None, sent(*difference), NOW, longest).as_millis()
        };
        differences.iter().map(one).collect()
    }

    #[test]
    fn what_exceeds_the_smallest_difference_is_the_wait() {
        assert_eq!(waits(&[3, 1_403, 4, 2, 1_402], None), [0, 1_400, 1, 0, 1_400]);
    }

    #[test]
    fn clocks_need_not_agree() {
        for offset in [-86_400_000, 86_400_000] {
            let sent = [offset + 2, offset + 1_402, offset + 2];
            assert_eq!(waits(&sent, Some(2 * SECOND)), [0, 1_400, 0]);
        }
    }

    #[test]
    fn the_first_may_have_waited_longest() {
        assert_eq!(waits(&[1_400, 3, 1_403], None), [0, 0, 1_400]);
    }

    #[test]
    fn callers_and_users_are_kept_apart() {
        let waits = Waits::default();
        let waited = |reply_to, user, difference| {
            waits.waited(reply_to, user, sent(difference), NOW, None).as_millis()
        };
        assert_eq!(waited("amq.gen-a", None, 0), 0);
        assert_eq!(waited("amq.gen-b", None, 700), 0);
        assert_eq!(waited("amq.gen-a", Some("guest"), 800), 0);
        assert_eq!(waited("amq.gen-a", None, 900), 900);
        assert_eq!(waited("amq.gen-b", None, 900), 200);
        assert_eq!(waited("amq.gen-a", Some("guest"), 900), 100);
    }

    #[test]
    fn a_wrong_time_spoils_no_later_request() {
        for wrong in [i64::MIN, -10_000, 10_000, i64::MAX] {
            let seen = waits(&[5, wrong, 6, 7], Some(2 * SECOND));
            assert_eq!(seen[2..], [0, 1], "{wrong}");
        }
        assert_eq!(waits(&[i64::MAX, i64::MIN, i64::MAX], Some(SECOND)), [0, 0, 0]);
        assert_eq!(waits(&[i64::MIN, i64::MAX], None)[1], u128::from(i64::MAX.unsigned_abs()));
    }

    #[test]
    fn a_clock_that_was_set_is_forgotten() {
        let waits = Waits::default();
        let waited = |difference, came: i64| {
            waits.waited("amq.gen-a", None, came - difference, came, None).as_millis()
        };
        assert_eq!(waited(5, 0), 0);
        // The caller's clock went back by a second.
        assert_eq!(waited(1_005, 1_000), 1_000);
        assert_eq!(waited(1_005, 6 * MINUTE_MS), 1_000, "the period before still counts");
        assert_eq!(waited(1_006, 12 * MINUTE_MS), 1);
    }

    #[test]
    fn a_bounded_number_of_callers_is_remembered() {
        let waits = Waits::default();
        let kept = || {
            let kept =
                |set: &Mutex<[Option<Seen>; SET]>| set.lock().unwrap().iter().flatten().count();
            waits.sets.iter().map(kept).sum::<usize>()
        };
        for now in 0..50_000 {
            waits.waited(&format!("amq.gen-{now}"), None, now, now, None);
            // It is never the one that makes room.
            waits.waited("amq.gen-busy", None, now, now, None);
        }
        assert_eq!(kept(), limits::REMEMBERED_CALLERS);
        let waited = waits.waited("amq.gen-busy", None, MINUTE_MS - 300, MINUTE_MS, None);
        assert_eq!(waited.as_millis(), 300);
    }
}
