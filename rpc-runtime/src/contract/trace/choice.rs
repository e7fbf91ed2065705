//! Chooses what to offer at each place: a variant, a number of elements, or a sample.
//!
//! A choice is bad if the type refuses it. After several choices, it is not known which one was refused. So the last
//! one is changed first. When it has no alternative left, the one before it is changed.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    Tracer,
    graph::{Graph, Kind, PlaceId},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Untried,
    /// Part of the current pass.
    Trying,
    /// The values read with it were accepted, up to the end of that pass.
    Passed,
    /// A complete pass was accepted with it.
    Good,
    Bad,
    /// The type has no variant with this number.
    Absent,
}

/// The choices at one place, and their results.
#[derive(Debug, Default)]
pub(super) struct Choices {
    statuses: Vec<Status>,
    /// How many choices, from the first, have to be tried. The others are tried only if none is good yet.
    required: usize,
    failures: usize,
}

/// How often a place is tried before it counts as refused. A panic appears on the user's screen, so only three are
/// allowed.
const MOST_FAILURES: usize = 3_000;

impl Choices {
    fn prepare(&mut self, count: usize, required: usize) {
        if self.statuses.len() < count {
            self.statuses.resize(count, Status::Untried);
        }
        self.required = self.required.max(required);
    }

    fn is(&self, number: usize, status: Status) -> bool {
        self.statuses.get(number) == Some(&status)
    }

    fn set(&mut self, number: usize, status: Status) {
        if let Some(known) = self.statuses.get_mut(number) {
            *known = status;
        }
    }

    fn first(&self, wanted: impl Fn(Status) -> bool) -> Option<usize> {
        self.statuses.iter().position(|status| wanted(*status))
    }

    fn forget_passed(&mut self) {
        for status in &mut self.statuses {
            if *status == Status::Passed {
                *status = Status::Untried;
            }
        }
    }

    pub(super) fn is_bad(&self, number: usize) -> bool {
        self.is(number, Status::Bad) || self.is(number, Status::Absent)
    }

    pub(super) fn is_absent(&self, number: usize) -> bool {
        self.is(number, Status::Absent)
    }

    pub(super) fn all_absent(&self) -> bool {
        self.statuses.iter().all(|status| *status == Status::Absent)
    }

    /// Whether a choice still has to be tried.
    pub(super) fn is_pending(&self) -> bool {
        self.untried().is_some()
    }

    fn untried(&self) -> Option<usize> {
        let accepted = |status| matches!(status, Status::Passed | Status::Good | Status::Trying);
        let most = match self.first(accepted) {
            Some(_) => self.required,
            None => self.statuses.len(),
        };
        self.first(|status| status == Status::Untried).filter(|number| *number < most)
    }
}

/// One reading of a type.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The next place to read.
    pub(super) cursor: PlaceId,
    /// The places that are being read, from the outside in. A failed read leaves its frame here, so the last frame is
    /// the one that failed.
    pub(super) frames: Vec<Frame>,
    /// The named types that enclose the current place.
    pub(super) path: Vec<PlaceId>,
    /// The choices so far, in order.
    trail: Vec<(PlaceId, usize)>,
    /// The choices that enclose the current place, as indices into `trail`.
    open: Vec<usize>,
    /// The variants that were read at a place, in order.
    pub(super) variants: HashMap<PlaceId, VecDeque<usize>>,
    /// The places that lead to an untried choice.
    pending: HashSet<PlaceId>,
    /// The pass found a variant number that does not exist.
    found_absent: bool,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) place: PlaceId,
    trail: usize,
}

impl Pass {
    pub(super) fn begin(root: PlaceId, graph: &Graph) -> Self {
        Self {
            cursor: root,
            frames: vec![Frame { place: root, trail: 0 }],
            pending: graph.leading_to(|place| place.choices.is_pending()),
            ..Self::default()
        }
    }

    pub(super) fn enter_frame(&mut self, place: PlaceId) {
        self.frames.push(Frame { place, trail: self.trail.len() });
    }

    /// The number of enclosing choices. Pass it to `leave`.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn leave(&mut self, open: usize) {
        self.open.truncate(open);
    }

    fn stay(&mut self) {
        self.open.push(self.trail.len().saturating_sub(1));
    }
}

impl Tracer {
    /// Chooses one of `count` samples at a place.
    pub(super) fn choose_sample(&mut self, id: PlaceId, count: usize) -> usize {
        // The first sample is not empty and not zero, the second one is. Both are needed, because some types omit
        // empty values.
        self.choose(id, count, 2, |tracer| {
            let choices = &tracer.graph.place(id).choices;
            choices.first(|status| status == Status::Good)
        })
    }

    /// Chooses between `Some` and `None`, or between numbers of elements. The second choice is the empty one. The
    /// choice encloses everything until `leave`.
    pub(super) fn choose_filling(&mut self, id: PlaceId, count: usize) -> usize {
        let inner: Vec<PlaceId> = self.graph.place(id).children.clone();
        if inner.iter().any(|inner| self.graph.place(*inner).refused) {
            let choices = &mut self.graph.place_mut(id).choices;
            choices.prepare(count, 2);
            (0..count).filter(|number| *number != 1).for_each(|n| choices.set(n, Status::Bad));
        }
        let chosen = self.choose(id, count, 2, |tracer| {
            let pending = inner.iter().any(|inner| tracer.leads_to_pending(*inner));
            let choices = &tracer.graph.place(id).choices;
            if !pending && !choices.is_bad(1) {
                return Some(1);
            }
            choices.first(|status| matches!(status, Status::Good | Status::Passed))
        });
        self.pass.stay();
        chosen
    }

    /// Chooses a variant. The choice encloses everything until `leave`.
    pub(super) fn choose_variant(&mut self, id: PlaceId, count: usize) -> usize {
        let chosen = self.choose(id, count.max(1), usize::MAX, |tracer| {
            let place = tracer.graph.place(id);
            let mut variants = place.children.iter().enumerate();
            let leading = variants
                .find(|(n, child)| !place.choices.is_bad(*n) && tracer.leads_to_pending(**child));
            leading.map(|(number, _)| number).or_else(|| tracer.smallest_variant(id))
        });
        self.pass.variants.entry(id).or_default().push_back(chosen);
        self.pass.stay();
        chosen
    }

    pub(super) fn no_such_variant(&mut self, id: PlaceId, number: usize) {
        let choices = &mut self.graph.place_mut(id).choices;
        choices.set(number, Status::Absent);
        self.pass.found_absent = true;
    }

    fn choose(
        &mut self,
        id: PlaceId,
        count: usize,
        required: usize,
        known: impl FnOnce(&Self) -> Option<usize>,
    ) -> usize {
        let choices = &mut self.graph.place_mut(id).choices;
        choices.prepare(count, required);
        let chosen = if let Some(untried) = choices.untried() {
            choices.set(untried, Status::Trying);
            untried
        } else {
            let known = known(self);
            let choices = &self.graph.place(id).choices;
            let usable = |status| !matches!(status, Status::Bad | Status::Absent | Status::Untried);
            known.or_else(|| choices.first(usable)).unwrap_or(0)
        };
        self.pass.trail.push((id, chosen));
        chosen
    }

    /// Whether this pass can reach an untried choice below the place.
    fn leads_to_pending(&self, id: PlaceId) -> bool {
        // In a recursive type, the second time takes the shortest way out.
        let repeated = || {
            let path = &self.pass.path;
            path.last().is_some_and(|last| path.iter().filter(|id| *id == last).count() > 1)
        };
        self.pass.pending.contains(&id)
            && (!self.graph.recursive
                || (!repeated() && self.graph.reaches_pending(id, &self.pass.path)))
    }

    fn smallest_variant(&self, id: PlaceId) -> Option<usize> {
        if !self.graph.recursive {
            let choices = &self.graph.place(id).choices;
            return choices.first(|status| matches!(status, Status::Good | Status::Passed));
        }
        let heights = self.graph.heights();
        let place = self.graph.place(id);
        let variants = place.children.iter().enumerate();
        let known = variants.filter(|(number, _)| !place.choices.is_bad(*number));
        let known = known.filter_map(|(n, child)| Some((heights.get(*child).copied()??, n)));
        known.min().map(|(_, number)| number)
    }

    /// Evaluates a pass. Returns whether it found anything new.
    pub(super) fn settle(&mut self, passed: bool, panicked: bool) -> bool {
        let pass = std::mem::take(&mut self.pass);
        let mut progress = pass.found_absent;
        let failed = if passed { None } else { pass.frames.last() };
        let known_to_fail = failed.is_some_and(|frame| self.graph.place(frame.place).refused);
        let inside = failed.map_or(pass.trail.len(), |frame| frame.trail);
        for (index, (id, chosen)) in pass.trail.iter().enumerate() {
            let choices = &mut self.graph.place_mut(*id).choices;
            let tried = choices.is(*chosen, Status::Trying);
            if passed {
                progress |= tried;
                choices.set(*chosen, Status::Good);
            } else if pass.open.contains(&index) || index >= inside {
                if tried {
                    choices.set(*chosen, Status::Untried);
                }
            } else if tried {
                progress = true;
                choices.set(*chosen, Status::Passed);
            }
        }
        if passed {
            // These choices were read but never written, because their pass failed later. They still have to be
            // written.
            self.graph.choices().for_each(Choices::forget_passed);
        }
        if let Some(frame) = failed
            && !known_to_fail
            && !pass.found_absent
        {
            let blamed = pass.trail.get(inside..).unwrap_or_default();
            progress |= self.blame(frame.place, blamed, panicked);
        }
        self.pass = pass;
        progress
    }

    /// Handles a refused choice inside this place.
    fn blame(&mut self, failed: PlaceId, chosen: &[(PlaceId, usize)], panicked: bool) -> bool {
        let failures = &mut self.graph.place_mut(failed).choices.failures;
        *failures += if panicked { MOST_FAILURES / 3 } else { 1 };
        if *failures <= MOST_FAILURES {
            for (id, number) in chosen.iter().rev() {
                let choices = &mut self.graph.place_mut(*id).choices;
                if choices.is(*number, Status::Good) || choices.is_bad(*number) {
                    continue;
                }
                choices.set(*number, Status::Bad);
                let others = |status| !matches!(status, Status::Bad | Status::Absent);
                if choices.first(others).is_some() {
                    return true;
                }
                // All were refused together with earlier choices. They may be accepted with other ones.
                for status in &mut choices.statuses {
                    if *status == Status::Bad {
                        *status = Status::Untried;
                    }
                }
            }
        }
        self.graph.place_mut(failed).refused = true;
        true
    }

    /// For use when no other progress is possible: marks the innermost choice that leads to the refused value as bad.
    pub(super) fn give_up_innermost_choice(&mut self, passed: bool) -> bool {
        if passed {
            return false;
        }
        let open = self.pass.open.iter().rev().filter_map(|index| self.pass.trail.get(*index));
        for (id, chosen) in open {
            let choices = &mut self.graph.place_mut(*id).choices;
            if !choices.is_bad(*chosen) {
                choices.set(*chosen, Status::Bad);
                return true;
            }
        }
        false
    }

    /// The current place, after noting the kind that is read there.
    pub(super) fn read_as(&mut self, kind: Kind) -> PlaceId {
        let id = self.pass.cursor;
        self.graph.note(id, kind);
        id
    }
}
