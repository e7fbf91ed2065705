//! Writes a value that was read from samples, and compares the writing with what was read.

use std::collections::VecDeque;

use serde::Serialize;

use super::{
    Tracer,
    graph::{Graph, Kind, PlaceId},
    misfit::Misfit,
    read::Stop,
};
use crate::codec::{Compound, Inspector, Members, Place, Scalar, inspect};

pub(super) struct Writer<'a> {
    tracer: &'a mut Tracer,
    /// Where the value was read; `None` for one that nothing is known of.
    place: Option<PlaceId>,
    /// The innermost place that is known.
    near: PlaceId,
}

impl<'a> Writer<'a> {
    pub(super) fn new(tracer: &'a mut Tracer, place: PlaceId) -> Self {
        Self { tracer, place: Some(place), near: place }
    }

    /// The place, if what is written there can be read there.
    fn at(&mut self, written: Kind) -> Result<Option<PlaceId>, Stop> {
        let Some(place) = self.place else { return Ok(None) };
        let place = self.tracer.graph.resolve(place);
        let read = self.tracer.graph.place(place).kind;
        match compare(&self.tracer.graph, place, written) {
            Comparison::Same => Ok(Some(place)),
            Comparison::OtherForm => Ok(None),
            Comparison::Differs => self.tracer.misfit(
                place,
                format!("it is written as {} and read as {}", in_words(written), in_words(read)),
            ),
        }
    }
}

impl Tracer {
    fn misfit<T>(&mut self, place: PlaceId, reason: impl Into<String>) -> Result<T, Stop> {
        let path = self.graph.path(place);
        self.misfit.get_or_insert_with(|| Misfit::new(&path, reason));
        Err(Stop)
    }
}

enum Comparison {
    Same,
    /// The bytes are the same, in another form: the elements cannot be compared one by one.
    OtherForm,
    Differs,
}

fn compare(graph: &Graph, id: PlaceId, written: Kind) -> Comparison {
    let place = graph.place(id);
    let read = place.kind;
    let byte = |id: Option<&PlaceId>| {
        let kind = id.map(|id| graph.place(graph.resolve(*id)).kind);
        matches!(kind, Some(Kind::Scalar(Scalar::U8) | Kind::Unseen))
    };
    let empty = place.children.is_empty();
    match (written, read) {
        (_, Kind::Unseen) => Comparison::OtherForm,
        _ if written == read || place.other_kinds.contains(&written) => Comparison::Same,
        (Kind::Struct, Kind::Tuple) | (Kind::Tuple, Kind::Struct) => Comparison::Same,
        (UNIT, Kind::Tuple | Kind::Struct) | (Kind::Tuple | Kind::Struct, UNIT) if empty => {
            Comparison::Same
        }
        (TEXT | Kind::Sequence, BYTES) | (BYTES, TEXT) => Comparison::OtherForm,
        (BYTES | TEXT, Kind::Sequence) if byte(place.children.first()) => Comparison::OtherForm,
        _ if width(written).zip(width(read)).is_some_and(|(w, r)| w.0 == r.0 && w.1 <= r.1) => {
            Comparison::Same
        }
        _ => Comparison::Differs,
    }
}

const UNIT: Kind = Kind::Scalar(Scalar::Unit);
const TEXT: Kind = Kind::Scalar(Scalar::Text);
const BYTES: Kind = Kind::Scalar(Scalar::Bytes);

/// Whole numbers of more than a byte have one form for all widths. A wider one reads what a narrower one wrote.
fn width(kind: Kind) -> Option<(bool, u8)> {
    let Kind::Scalar(scalar) = kind else { return None };
    Some(match scalar {
        Scalar::U16 => (false, 16),
        Scalar::U32 => (false, 32),
        Scalar::U64 => (false, 64),
        Scalar::U128 => (false, 128),
        Scalar::I16 => (true, 16),
        Scalar::I32 => (true, 32),
        Scalar::I64 => (true, 64),
        Scalar::I128 => (true, 128),
        _ => return None,
    })
}

fn in_words(kind: Kind) -> String {
    match kind {
        Kind::Unseen | Kind::Same(_) => "something else".to_owned(),
        UNIT => "nothing".to_owned(),
        TEXT | BYTES => kind.name().to_owned(),
        Kind::Scalar(scalar) => format!("`{}`", scalar.name()),
        Kind::Option => "an option".to_owned(),
        Kind::Enum => "an enumeration".to_owned(),
        Kind::Newtype => "a newtype".to_owned(),
        _ => format!("a {}", kind.name()),
    }
}

impl<'a> Inspector for Writer<'a> {
    type Ok = ();
    type Error = Stop;
    type Members = Written<'a>;

    fn scalar(mut self, scalar: Scalar) -> Result<(), Stop> {
        self.at(Kind::Scalar(scalar)).map(drop)
    }

    fn none(mut self) -> Result<(), Stop> {
        self.at(Kind::Option).map(drop)
    }

    fn some<T: ?Sized + Serialize>(mut self, value: &T) -> Result<(), Stop> {
        let place = self.at(Kind::Option)?;
        let inner = place.and_then(|id| self.tracer.graph.place(id).children.first().copied());
        inspect(value, Writer { tracer: self.tracer, place: inner, near: self.near })
    }

    fn newtype<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Stop> {
        inspect(value, self)
    }

    fn variant(mut self, number: u32, name: &'static str) -> Result<Self, Stop> {
        let place = self.at(Kind::Enum)?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let Self { tracer, near, .. } = self;
        let place = place.and_then(|place| {
            let read = tracer.pass.variants.get_mut(&place).and_then(VecDeque::pop_front);
            let known = tracer.graph.place_mut(place);
            known.written_names.insert(number, name);
            let read = read?;
            known.written_variants.insert(read, number);
            // The content of another variant than the one that was read is not compared.
            known.children.get(number).copied().filter(|_| read == number)
        });
        Ok(Self { tracer, place, near })
    }

    fn members(mut self, compound: Compound, length: Option<usize>) -> Result<Written<'a>, Stop> {
        if compound == Compound::Map && length.is_none() {
            return self.tracer.misfit(
                self.near,
                "it is written as a map of unknown length, as `flatten` does, and bincode writes the length first",
            );
        }
        let place = self.at(match compound {
            Compound::Sequence => Kind::Sequence,
            Compound::Map => Kind::Map,
            Compound::Tuple => Kind::Tuple,
            Compound::Struct => Kind::Struct,
        })?;
        let near = place.unwrap_or(self.near);
        Ok(Written { tracer: self.tracer, place, near, compound, length, count: 0 })
    }
}

/// What has members, as far as it is written.
pub(super) struct Written<'a> {
    tracer: &'a mut Tracer,
    place: Option<PlaceId>,
    near: PlaceId,
    compound: Compound,
    length: Option<usize>,
    /// How many members were written.
    count: usize,
}

impl Members for Written<'_> {
    type Ok = ();
    type Error = Stop;

    fn member<T: ?Sized + Serialize>(&mut self, at: Place, value: &T) -> Result<(), Stop> {
        if let Place::Field(name) = at {
            self.check_name(name)?;
        }
        let number = match at {
            Place::Element | Place::Key => 0,
            Place::Value => 1,
            Place::Position | Place::Field(_) => self.count,
        };
        // A value belongs to its key.
        self.count += usize::from(at != Place::Value);
        let place = self.place.and_then(|id| {
            let children = &self.tracer.graph.place(id).children;
            // The elements of an array share a place.
            children.get(number).or(children.first()).copied()
        });
        let near = place.unwrap_or(self.near);
        inspect(value, Writer { tracer: &mut *self.tracer, place, near })
    }

    fn skipped(&mut self, name: &'static str) -> Result<(), Stop> {
        let reason = format!(
            "the field `{name}` is left out for some values (`skip_serializing_if`), and what follows would be read in \
             its place"
        );
        self.tracer.misfit(self.near, reason)
    }

    fn end(self) -> Result<(), Stop> {
        match self.compound {
            Compound::Sequence | Compound::Map => self.end_elements(),
            Compound::Tuple | Compound::Struct => self.end_members(),
        }
    }
}

impl Written<'_> {
    /// Compares the name of a field that is written next with the name that is read there.
    fn check_name(&mut self, name: &'static str) -> Result<(), Stop> {
        let (number, Some(id)) = (self.count, self.place) else { return Ok(()) };
        let place = self.tracer.graph.place_mut(id);
        let names = place.read_names;
        let aliases = names.len() != place.children.len();
        let expected = names.get(number).copied();
        let fits = if aliases { names.contains(&name) } else { expected == Some(name) };
        if !names.is_empty() && !fits {
            let reason = match expected {
                Some(expected) if !aliases => format!(
                    "the field `{name}` is written where `{expected}` is read: one of them is skipped when it is \
                     written or when it is read, or has two names"
                ),
                _ => format!("the field `{name}` is written and not read"),
            };
            return self.tracer.misfit(id, reason);
        }
        place.written_names.insert(number, name);
        Ok(())
    }

    /// Compares the number of members.
    fn end_members(self) -> Result<(), Stop> {
        let Some(id) = self.place else { return Ok(()) };
        let place = self.tracer.graph.place(id);
        let shared = place.children.len() == 1 && self.count > 1;
        let read = place.children.len();
        if read == self.count || (shared && place.kind == Kind::Tuple) {
            return Ok(());
        }
        let missing = place.read_names.get(self.count).copied();
        let reason = match missing {
            Some(name) if read > self.count => {
                format!("the field `{name}` is read and not written")
            }
            _ => format!("it is written with {} members and read with {read}", self.count),
        };
        self.tracer.misfit(id, reason)
    }

    fn end_elements(self) -> Result<(), Stop> {
        match self.length {
            Some(length) if length != self.count => self.tracer.misfit(
                self.near,
                format!("it announces {length} elements and writes {}", self.count),
            ),
            None => self.tracer.misfit(
                self.near,
                "it is written as a sequence of unknown length, and bincode writes the length first",
            ),
            _ => Ok(()),
        }
    }
}
