//! Which deliveries of a channel were answered.

use std::collections::HashMap;

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
    /// Settled beyond, and whether the broker knows.
    ahead: HashMap<u64, bool>,
    /// Of these, those that it does not know of.
    alone: Vec<u64>,
}

impl Tags {
    pub(super) fn answered(&mut self, tag: u64) {
        if tag == self.settled + 1 {
            self.together = Some(tag);
            self.advance(tag);
        } else {
            self.ahead.insert(tag, false);
            self.alone.push(tag);
        }
    }

    /// The broker is told of this one by other words.
    pub(super) fn refused(&mut self, tag: u64) {
        if tag == self.settled + 1 {
            self.advance(tag);
        } else {
            self.ahead.insert(tag, true);
        }
    }

    fn advance(&mut self, to: u64) {
        self.settled = to;
        while let Some(known) = self.ahead.remove(&(self.settled + 1)) {
            self.settled += 1;
            if !known {
                self.together = Some(self.settled);
            }
        }
    }

    pub(super) fn has_unsaid(&self) -> bool {
        self.together.is_some() || !self.alone.is_empty()
    }

    /// What is to be said, and counts as said from then on.
    pub(super) fn acknowledgements(&mut self) -> impl Iterator<Item = Acknowledgement> {
        let together = self.together.take().map(|tag| Acknowledgement { tag, multiple: true });
        let ahead = &mut self.ahead;
        let alone = self.alone.drain(..).filter_map(|tag| {
            // Those that are not ahead any more are covered.
            *ahead.get_mut(&tag)? = true;
            Some(Acknowledgement { tag, multiple: false })
        });
        together.into_iter().chain(alone)
    }
}

#[cfg(test)]
mod tests {
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
}
