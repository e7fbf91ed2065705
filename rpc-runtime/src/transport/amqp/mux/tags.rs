//! Which deliveries of a channel were answered.

use std::collections::VecDeque;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    pub(super) tag: u64,
    pub(super) multiple: bool,
}

/// One acknowledgement covers all deliveries up to the first that was not answered; the others, behind a slow request, are
/// acknowledged one by one.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// All up to this one are settled.
    settled: u64,
    /// The last of them that is to be acknowledged, together with those before it.
    together: Option<u64>,
    /// Settled beyond.
    ahead: Runs,
    /// Of these, those that the broker does not know of.
    alone: Vec<u64>,
}

impl Tags {
    pub(super) fn answered(&mut self, tag: u64) {
        if tag == self.settled + 1 {
            self.together = Some(tag);
            self.advance(tag);
        } else if tag > self.settled && self.ahead.add(tag) {
            self.alone.push(tag);
        }
    }

    /// The broker is told of this one by other words.
    pub(super) fn refused(&mut self, tag: u64) {
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

    pub(super) fn has_unsaid(&self) -> bool {
        self.together.is_some() || !self.alone.is_empty()
    }

    /// What is to be said, and counts as said from then on.
    pub(super) fn acknowledgements(&mut self) -> impl Iterator<Item = Acknowledgement> {
        let together = self.together.take().map(|tag| Acknowledgement { tag, multiple: true });
        let alone = self.alone.drain(..).map(|tag| Acknowledgement { tag, multiple: false });
        together.into_iter().chain(alone)
    }
}

/// Numbers as runs without a gap, the first and the last of each: behind one slow request there is one run, however many
/// were settled meanwhile.
#[derive(Debug, Default)]
struct Runs(VecDeque<(u64, u64)>);

impl Runs {
    /// `false` for one that is there already.
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

    /// Takes the first run out if it begins with this number, and says its last.
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

    fn said(tags: &mut Tags) -> Vec<(u64, bool)> {
        tags.acknowledgements().map(|ack| (ack.tag, ack.multiple)).collect()
    }

    #[test]
    fn a_run_of_answers_is_acknowledged_at_once() {
        let mut tags = Tags::default();
        for tag in [2, 1, 3] {
            tags.answered(tag);
        }
        assert_eq!(said(&mut tags), [(3, true)]);
        assert!(!tags.has_unsaid());
        assert_eq!(said(&mut tags), []);
    }

    #[test]
    fn nothing_behind_a_slow_request_waits_for_it_and_nothing_covers_it() {
        let mut tags = Tags::default();
        for tag in [2, 3] {
            tags.answered(tag);
        }
        assert_eq!(said(&mut tags), [(2, false), (3, false)]);
        tags.answered(4);
        assert_eq!(said(&mut tags), [(4, false)]);
        tags.answered(1);
        assert_eq!(said(&mut tags), [(1, true)]);
        tags.answered(5);
        assert_eq!(said(&mut tags), [(5, true)]);
    }

    #[test]
    fn what_was_given_back_is_never_acknowledged_by_itself() {
        let mut tags = Tags::default();
        tags.refused(1);
        assert_eq!(said(&mut tags), []);
        tags.answered(2);
        assert_eq!(said(&mut tags), [(2, true)]);
        tags.answered(3);
        tags.refused(4);
        assert_eq!(said(&mut tags), [(3, true)]);
    }

    #[test]
    fn what_is_settled_behind_a_request_without_end_takes_no_memory() {
        let mut tags = Tags::default();
        for tag in 2..100_000 {
            tags.answered(tag);
            assert_eq!(said(&mut tags), [(tag, false)]);
        }
        assert_eq!((tags.ahead.0.len(), tags.alone.len()), (1, 0));
        tags.answered(1);
        tags.answered(100_000);
        assert_eq!(said(&mut tags), [(100_000, true)]);
    }

    #[test]
    fn a_tag_that_no_broker_sends_is_settled_once_and_does_no_harm() {
        let mut tags = Tags::default();
        for tag in [1, 1, 3, 3, 0, u64::MAX, u64::MAX] {
            tags.answered(tag);
        }
        tags.refused(1);
        assert_eq!(said(&mut tags), [(1, true), (3, false), (u64::MAX, false)]);
    }

    proptest! {
        /// In any order, with words at any time, each that is answered is acknowledged once, and nothing else ever is.
        #[test]
        fn the_broker_is_told_of_each_answer_once_and_of_nothing_else(
            order in Just((1..=40u64).collect::<Vec<_>>()).prop_shuffle(),
            refused in prop::collection::btree_set(1..=40u64, 0..10),
            spoken in prop::collection::btree_set(0..40usize, 0..40),
        ) {
            let (mut tags, mut open) = (Tags::default(), (1..=40u64).collect::<BTreeSet<_>>());
            let mut answered = BTreeSet::new();
            for (step, tag) in order.into_iter().enumerate() {
                if refused.contains(&tag) {
                    tags.refused(tag);
                    open.remove(&tag);
                } else {
                    tags.answered(tag);
                    answered.insert(tag);
                }
                if step == 39 || spoken.contains(&step) {
                    for (tag, multiple) in said(&mut tags) {
                        // As a broker does, which closes the channel for a tag that it does not know.
                        prop_assert!(open.contains(&tag), "{tag} is not open");
                        let least = if multiple { 0 } else { tag };
                        let told: Vec<u64> = open.range(least..=tag).copied().collect();
                        for told in told {
                            open.remove(&told);
                            prop_assert!(answered.contains(&told), "{told} was not answered");
                        }
                    }
                }
                // Before each run is one that is not settled.
                prop_assert!(tags.ahead.0.len() <= 40 - (step + 1));
            }
            prop_assert!(open.is_empty(), "never told of {open:?}");
        }
    }
}
