//! The places of a type: what is read at each, and what is inside.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    canonical::short_name,
    choice::Choices,
    misfit::{self, Misfit, Step},
};
use crate::codec::Scalar;

pub(super) type PlaceId = usize;

/// What is read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Nothing was read here yet.
    Unseen,
    Scalar(Scalar),
    Option,
    Sequence,
    Map,
    Tuple,
    Newtype,
    Struct,
    Enum,
    /// The same named type as at another place.
    Same(PlaceId),
}

impl Kind {
    /// As a signature has it. A place refers to where its type is described, or to what it wraps, so neither of these is met
    /// there.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unseen | Self::Same(_) | Self::Newtype => "?",
            Self::Scalar(scalar) => scalar.name(),
            Self::Option => "option",
            Self::Sequence => "sequence",
            Self::Map => "map",
            Self::Tuple => "tuple",
            Self::Struct => "struct",
            Self::Enum => "enum",
        }
    }
}

/// One place in a type.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// Other kinds that were read here: the type decides by what it read before.
    pub(super) other_kinds: Vec<Kind>,
    pub(super) type_name: &'static str,
    /// Fields, elements or contents of variants, by number.
    pub(super) children: Vec<PlaceId>,
    /// The names that the type gives when it is read. Aliases may be among them.
    pub(super) read_names: &'static [&'static str],
    /// The names that were written, by number.
    pub(super) written_names: BTreeMap<usize, &'static str>,
    /// Of an enumeration: the variant that was written for one that was read.
    pub(super) written_variants: BTreeMap<usize, usize>,
    pub(super) choices: Choices,
    /// No sample was accepted here.
    pub(super) refused: bool,
    step: Step,
    parent: Option<PlaceId>,
    /// Its number in its parent.
    number: usize,
    /// The places that refer to this one.
    same: Vec<PlaceId>,
}

/// A named type is recognised by its visitor, which has its parameters in its name, and by its members.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) visitor: &'static str,
    pub(super) size: usize,
    pub(super) name: &'static str,
    pub(super) members: &'static [&'static str],
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    places: Vec<Place>,
    named: HashMap<Key, PlaceId>,
    /// Some type contains itself.
    pub(super) recursive: bool,
}

/// The name of a type as its user knows it; none for a type inside of generated code.
fn users_name(type_name: &str) -> Option<String> {
    let name = short_name(type_name);
    let generated = name.is_empty() || name.contains("impl ") || name.contains("__");
    (!generated).then_some(name)
}

/// Longer tuples are arrays: their elements share one place.
const LONGEST_TUPLE: usize = 64;

impl Graph {
    pub(super) fn add(&mut self, step: Step, parent: Option<(PlaceId, usize)>) -> PlaceId {
        self.places.push(Place {
            kind: Kind::Unseen,
            other_kinds: Vec::new(),
            type_name: "",
            children: Vec::new(),
            read_names: &[],
            written_names: BTreeMap::new(),
            written_variants: BTreeMap::new(),
            choices: Choices::default(),
            refused: false,
            step,
            parent: parent.map(|(parent, _)| parent),
            number: parent.map_or(0, |(_, number)| number),
            same: Vec::new(),
        });
        self.places.len() - 1
    }

    /// Ids come from `add` alone, and no place is removed.
    pub(super) fn place(&self, id: PlaceId) -> &Place {
        &self.places[id]
    }

    pub(super) fn place_mut(&mut self, id: PlaceId) -> &mut Place {
        &mut self.places[id]
    }

    pub(super) fn choices(&mut self) -> impl Iterator<Item = &mut Choices> {
        self.places.iter_mut().map(|place| &mut place.choices)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn note(&mut self, id: PlaceId, kind: Kind) {
        let place = self.place_mut(id);
        if place.kind == Kind::Unseen {
            place.kind = kind;
        } else if place.kind != kind && !place.other_kinds.contains(&kind) {
            place.other_kinds.push(kind);
        }
    }

    /// The place where a named type is described: this one if it was not met before.
    pub(super) fn described_at(&mut self, key: Key, here: PlaceId) -> PlaceId {
        let described = *self.named.entry(key).or_insert(here);
        if described != here && self.place(here).kind != Kind::Same(described) {
            self.note(here, Kind::Same(described));
            self.place_mut(described).same.push(here);
        }
        described
    }

    /// The place inside another, by number. It is made on first use.
    pub(super) fn child(&mut self, id: PlaceId, number: usize, step: Step) -> PlaceId {
        while self.place(id).children.len() <= number {
            let child = self.add(step, Some((id, self.place(id).children.len())));
            self.place_mut(id).children.push(child);
        }
        let child = self.place(id).children.get(number).copied().unwrap_or(id);
        // Places of variants are made together; each is named when it is met.
        self.place_mut(child).step = step;
        child
    }

    pub(super) fn element(&mut self, id: PlaceId, number: usize, length: usize) -> PlaceId {
        if length > LONGEST_TUPLE {
            self.child(id, 0, Step::Element)
        } else {
            self.child(id, number, Step::Number(number))
        }
    }

    /// A place, and those further in that stand for the same bytes.
    pub(super) fn chain(&self, id: PlaceId) -> impl Iterator<Item = PlaceId> + '_ {
        let next = |id: &PlaceId| match (self.place(*id).kind, self.place(*id).children.first()) {
            (Kind::Same(described), _) => Some(described),
            (Kind::Newtype, Some(inner)) => Some(*inner),
            _ => None,
        };
        std::iter::successors(Some(id), next).take(self.len())
    }

    /// The last of these, where the bytes are described.
    pub(super) fn resolve(&self, id: PlaceId) -> PlaceId {
        self.chain(id).last().unwrap_or(id)
    }

    /// The places inside one that can be reached by some choice.
    pub(super) fn inside(&self, id: PlaceId) -> impl Iterator<Item = PlaceId> + '_ {
        let place = self.place(id);
        let same = match place.kind {
            Kind::Same(described) => Some(described),
            _ => None,
        };
        let chosen = move |(number, _): &(usize, &PlaceId)| {
            place.kind != Kind::Enum || !place.choices.is_bad(*number)
        };
        let members = place.children.iter().enumerate().filter(chosen).map(|(_, child)| *child);
        same.into_iter().chain(members)
    }

    /// All places from which some is reached that is `wanted`.
    pub(super) fn leading_to(&self, wanted: impl Fn(&Place) -> bool) -> HashSet<PlaceId> {
        let mut open: Vec<PlaceId> = (0..self.len()).filter(|id| wanted(self.place(*id))).collect();
        let mut found: HashSet<PlaceId> = open.iter().copied().collect();
        while let Some(id) = open.pop() {
            let place = self.place(id);
            let parent = place.parent.filter(|parent| {
                let parent = self.place(*parent);
                parent.kind != Kind::Enum || !parent.choices.is_bad(place.number)
            });
            for outer in place.same.iter().copied().chain(parent) {
                if found.insert(outer) {
                    open.push(outer);
                }
            }
        }
        found
    }

    /// Whether some choice was not tried yet that can be reached from here, without passing one of `avoided`.
    pub(super) fn reaches_pending(&self, from: PlaceId, avoided: &[PlaceId]) -> bool {
        let (mut open, mut seen) = (vec![from], HashSet::from([from]));
        while let Some(id) = open.pop() {
            if avoided.contains(&id) {
                continue;
            }
            if self.place(id).choices.is_pending() {
                return true;
            }
            open.extend(self.inside(id).filter(|inner| seen.insert(*inner)));
        }
        false
    }

    pub(super) fn is_pending(&self, root: PlaceId) -> bool {
        self.reaches_pending(root, &[])
    }

    /// How deep the smallest value at each place is; `None` where none is known.
    pub(super) fn heights(&self) -> Vec<Option<usize>> {
        let mut heights = vec![None; self.len()];
        loop {
            let mut changed = false;
            for id in 0..self.len() {
                let height = self.height(id, &heights);
                if let Some(known) = heights.get_mut(id)
                    && known.is_none()
                    && height.is_some()
                {
                    *known = height;
                    changed = true;
                }
            }
            if !changed {
                return heights;
            }
        }
    }

    fn height(&self, id: PlaceId, known: &[Option<usize>]) -> Option<usize> {
        let place = self.place(id);
        let of = |id: PlaceId| known.get(id).copied().flatten();
        match place.kind {
            Kind::Unseen => None,
            Kind::Same(described) => of(described),
            Kind::Enum => self.inside(id).filter_map(of).min().map(|height| height + 1),
            Kind::Tuple | Kind::Newtype | Kind::Struct => {
                let inner: Option<Vec<usize>> = place.children.iter().map(|id| of(*id)).collect();
                Some(1 + inner?.into_iter().max().unwrap_or(0))
            }
            // Options and sequences may be empty.
            _ => Some(0),
        }
    }

    /// Where a place is, from the outside in.
    pub(super) fn path(&self, id: PlaceId) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(id);
        while let Some(id) = at {
            steps.push(self.place(id).step);
            at = self.place(id).parent;
        }
        steps.reverse();
        steps
    }

    /// Where the struct is whose fields are read by names, as the keys of a map, and its name if it is known; `field` is the
    /// place of such a name. serde reads a struct with `flatten` so.
    pub(super) fn read_by_names(&self, field: PlaceId) -> Option<(Vec<Step>, Option<String>)> {
        let key = self.place(field);
        let around = key.parent.filter(|_| key.step == Step::Key)?;
        // The name of a field has a type of its own within the code that serde generates: `<impl Deserialize for Order>__Field`.
        let generated = short_name(key.type_name);
        let of_field = generated.split_once(" for ").and_then(|(_, of)| of.split_once(">__"));
        let named = of_field.map(|(name, _)| name.to_owned());
        let known = named.or_else(|| users_name(self.place(around).type_name));
        Some((self.path(around), known))
    }

    /// A variant that is written under another number than it is read by. A type may read an old variant and write a new
    /// one for it, if the new one is read as it is written.
    pub(super) fn shifted_variant(&self) -> Option<Misfit> {
        (0..self.len()).find_map(|id| {
            let place = self.place(id);
            let variants = &place.written_variants;
            let shifted =
                variants.iter().find(|(_, written)| variants.get(written) != Some(written));
            let (read, written) = shifted?;
            let name = place.written_names.get(written).copied().unwrap_or_default();
            Some(Misfit::shifted_variant(&self.path(id), name, *written, *read))
        })
    }

    /// The places whose shape is not known, in words.
    pub(super) fn unseen(&self, roots: &[PlaceId]) -> Vec<String> {
        let (mut open, mut seen): (Vec<_>, HashSet<_>) =
            (roots.to_vec(), roots.iter().copied().collect());
        let mut unseen = Vec::new();
        while let Some(id) = open.pop() {
            let place = self.place(id);
            if place.refused || !place.other_kinds.is_empty() {
                let at = misfit::place(&self.path(id));
                unseen.push(match users_name(place.type_name) {
                    Some(name) => format!("{at} ({name})"),
                    None => at,
                });
            }
            let same = match place.kind {
                Kind::Same(described) => Some(described),
                _ => None,
            };
            open.extend(
                place.children.iter().copied().chain(same).filter(|inner| seen.insert(*inner)),
            );
        }
        unseen.sort();
        unseen
    }
}
