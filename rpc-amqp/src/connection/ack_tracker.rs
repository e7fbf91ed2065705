//! Tracks which deliveries of a channel have to be acknowledged.

use std::collections::VecDeque;

/// A `basic.ack`.
#[derive(Debug, PartialEq, Eq)]
pub struct Ack {
    /// The tag of the delivery.
    pub tag: u64,
    /// It also acknowledges all deliveries before.
    pub multiple: bool,
}

/// One acknowledgement covers all deliveries up to the first unsettled one. Deliveries after that one are acknowledged
/// one by one. A [`ChannelWriter`](crate::ChannelWriter) has one of its own; this is for other AMQP clients.
#[derive(Debug, Default)]
pub struct AckTracker {
    /// All deliveries up to this tag are settled.
    settled: u64,
    /// The last settled delivery to acknowledge, with `multiple`.
    together: Option<u64>,
    /// Settled deliveries after `settled`.
    ahead: Runs,
    /// Those of `ahead` that still have to be acknowledged.
    alone: Vec<u64>,
}

impl AckTracker {
    /// Settles a delivery with an acknowledgement.
    pub fn ack(&mut self, tag: u64) {
        if tag == self.settled + 1 {
            self.together = Some(tag);
            self.advance(tag);
        } else if tag > self.settled && self.ahead.add(tag) {
            self.alone.push(tag);
        }
    }

    /// Settles a delivery with a `basic.reject`, which the caller sends.
    pub fn reject(&mut self, tag: u64) {
        if tag == self.settled + 1 {
            self.advance(tag);
        } else if tag > self.settled {
            self.ahead.add(tag);
        }
    }

    fn advance(&mut self, to: u64) {
        let Some(last) = self.ahead.take_from(to + 1) else {
            self.settled = to;
            return;
        };
        self.settled = last;
        let covered = self.alone.extract_if(.., |tag| *tag <= last);
        self.together = covered.max().max(self.together);
    }

    /// Whether there is anything to acknowledge.
    pub fn has_acks(&self) -> bool {
        self.together.is_some() || !self.alone.is_empty()
    }

    /// Returns the acknowledgements to write, and counts them as written.
    pub fn take_acks(&mut self) -> impl Iterator<Item = Ack> + use<'_> {
        let together = self.together.take().map(|tag| Ack { tag, multiple: true });
        let alone = self.alone.drain(..).map(|tag| Ack { tag, multiple: false });
        together.into_iter().chain(alone)
    }
}

/// Numbers, stored as runs without gaps: the first and the last of each. While one slow request is unsettled, all
/// later settled ones take a single run.
#[derive(Debug, Default)]
struct Runs(VecDeque<(u64, u64)>);

impl Runs {
    /// `false` if the number is already stored.
    fn add(&mut self, number: u64) -> bool {
        let next = self.0.partition_point(|(first, _)| *first <= number);
        let before = next.checked_sub(1).map(|at| (at, self.0[at].1));
        let joins_next = self.0.get(next).is_some_and(|(first, _)| *first - 1 == number);
        match before {
            Some((_, last)) if last >= number => return false,
            Some((at, last)) if last + 1 == number => {
                self.0[at].1 = number;
                if joins_next && let Some((_, last)) = self.0.remove(next) {
                    self.0[at].1 = last;
                }
            }
            _ if joins_next => self.0[next].0 = number,
            _ => self.0.insert(next, (number, number)),
        }
        true
    }

    /// Removes the first run if it starts with this number, and returns its last number.
    fn take_from(&mut self, number: u64) -> Option<u64> {
        let (first, last) = *self.0.front()?;
        (first == number).then(|| {
            self.0.pop_front();
            last
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn acks(tracker: &mut AckTracker) -> Vec<(u64, bool)> {
        tracker.take_acks().map(|ack| (ack.tag, ack.multiple)).collect()
    }

    #[test]
    fn one_acknowledgement_covers_a_run() {
        let mut tracker = AckTracker::default();
        for tag in [2, 1, 3] {
            tracker.ack(tag);
        }
        assert_eq!(acks(&mut tracker), [(3, true)]);
        assert!(!tracker.has_acks());
        assert_eq!(acks(&mut tracker), []);
    }

    #[test]
    fn deliveries_behind_a_slow_one_are_acknowledged_alone() {
        let mut tracker = AckTracker::default();
        for tag in [2, 3] {
            tracker.ack(tag);
        }
        assert_eq!(acks(&mut tracker), [(2, false), (3, false)]);
        tracker.ack(4);
        assert_eq!(acks(&mut tracker), [(4, false)]);
        tracker.ack(1);
        assert_eq!(acks(&mut tracker), [(1, true)]);
        tracker.ack(5);
        assert_eq!(acks(&mut tracker), [(5, true)]);
    }

    #[test]
    fn rejected_deliveries_are_never_acknowledged_alone() {
        let mut tracker = AckTracker::default();
        tracker.reject(1);
        assert_eq!(acks(&mut tracker), []);
        tracker.ack(2);
        assert_eq!(acks(&mut tracker), [(2, true)]);
        tracker.ack(3);
        tracker.reject(4);
        assert_eq!(acks(&mut tracker), [(3, true)]);
    }

    #[test]
    fn settled_deliveries_after_unsettled_one_use_no_memory() {
        let mut tracker = AckTracker::default();
        for tag in 2..100_000 {
            tracker.ack(tag);
            assert_eq!(acks(&mut tracker), [(tag, false)]);
        }
        assert_eq!((tracker.ahead.0.len(), tracker.alone.len()), (1, 0));
        tracker.ack(1);
        tracker.ack(100_000);
        assert_eq!(acks(&mut tracker), [(100_000, true)]);
    }

    #[test]
    fn impossible_tags_do_no_harm() {
        let mut tracker = AckTracker::default();
        for tag in [1, 1, 3, 3, 0, u64::MAX, u64::MAX] {
            tracker.ack(tag);
        }
        tracker.reject(1);
        assert_eq!(acks(&mut tracker), [(1, true), (3, false), (u64::MAX, false)]);
    }

    proptest! {
        /// Each acknowledged delivery is acknowledged once, in any order and with writes at any time. No other
        /// delivery is.
        #[test]
        fn each_delivery_is_acknowledged_once_in_any_order(
            order in Just((1..=40u64).collect::<Vec<_>>()).prop_shuffle(),
            refused in prop::collection::btree_set(1..=40u64, 0..10),
            spoken in prop::collection::btree_set(0..40usize, 0..40),
        ) {
            let (mut tracker, mut open) = (AckTracker::default(), (1..=40u64).collect::<BTreeSet<_>>());
            let mut answered = BTreeSet::new();
            for (step, tag) in order.into_iter().enumerate() {
                if refused.contains(&tag) {
                    tracker.reject(tag);
                    open.remove(&tag);
                } else {
                    tracker.ack(tag);
                    answered.insert(tag);
                }
                if step == 39 || spoken.contains(&step) {
                    for (tag, multiple) in acks(&mut tracker) {
                        // A broker closes the channel if it gets an unknown tag.
                        prop_assert!(open.contains(&tag), "{tag} is not open");
                        let least = if multiple { 0 } else { tag };
                        let told: Vec<u64> = open.range(least..=tag).copied().collect();
                        for told in told {
                            open.remove(&told);
                            prop_assert!(answered.contains(&told), "{told} was not answered");
                        }
                    }
                }
                // There is an unsettled delivery before each run.
                prop_assert!(tracker.ahead.0.len() <= 40 - (step + 1));
            }
            prop_assert!(open.is_empty(), "never told of {open:?}");
        }
    }
}
