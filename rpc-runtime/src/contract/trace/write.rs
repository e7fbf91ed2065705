//! Writes a value that was read from samples, and compares the writing with what was read.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{
    Tracer,
    graph::{Graph, Kind, PlaceId},
    misfit::Misfit,
    read::Stop,
};

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

    fn scalar(mut self, written: Kind) -> Result<(), Stop> {
        self.at(written).map(drop)
    }

    fn compound(mut self, written: Kind, length: Option<usize>) -> Result<Compound<'a>, Stop> {
        let place = self.at(written)?;
        let near = place.unwrap_or(self.near);
        Ok(Compound { tracer: self.tracer, place, near, length, written: 0 })
    }

    /// The place of a variant's content.
    fn variant(mut self, number: u32, name: &'static str) -> Result<Self, Stop> {
        let place = self.at(Kind::Enum)?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let Self { tracer, near, .. } = self;
        let place = place.and_then(|place| {
            let read = tracer
                .pass
                .variants
                .get_mut(&place)
                .and_then(std::collections::VecDeque::pop_front);
            let known = tracer.graph.place_mut(place);
            known.written_names.insert(number, name);
            let read = read?;
            known.written_variants.insert(read, number);
            // The content of another variant than the one that was read is not compared.
            known.children.get(number).copied().filter(|_| read == number)
        });
        Ok(Self { tracer, place, near })
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
        id.is_some_and(|id| matches!(graph.place(graph.resolve(*id)).kind, Kind::U8 | Kind::Unseen))
    };
    let empty = place.children.is_empty();
    match (written, read) {
        (_, Kind::Unseen) => Comparison::OtherForm,
        _ if written == read || place.other_kinds.contains(&written) => Comparison::Same,
        (Kind::Struct, Kind::Tuple) | (Kind::Tuple, Kind::Struct) => Comparison::Same,
        (Kind::Unit, Kind::Tuple | Kind::Struct) | (Kind::Tuple | Kind::Struct, Kind::Unit)
            if empty =>
        {
            Comparison::Same
        }
        (Kind::Text | Kind::Sequence, Kind::Bytes) | (Kind::Bytes, Kind::Text) => {
            Comparison::OtherForm
        }
        (Kind::Bytes | Kind::Text, Kind::Sequence) if byte(place.children.first()) => {
            Comparison::OtherForm
        }
        _ if width(written).zip(width(read)).is_some_and(|(w, r)| w.0 == r.0 && w.1 <= r.1) => {
            Comparison::Same
        }
        _ => Comparison::Differs,
    }
}

/// Whole numbers of more than a byte have one form for all widths. A wider one reads what a narrower one wrote.
fn width(kind: Kind) -> Option<(bool, u8)> {
    Some(match kind {
        Kind::U16 => (false, 16),
        Kind::U32 => (false, 32),
        Kind::U64 => (false, 64),
        Kind::U128 => (false, 128),
        Kind::I16 => (true, 16),
        Kind::I32 => (true, 32),
        Kind::I64 => (true, 64),
        Kind::I128 => (true, 128),
        _ => return None,
    })
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Unseen | Kind::Same(_) => "something else",
        Kind::Bool => "`bool`",
        Kind::I8 => "`i8`",
        Kind::I16 => "`i16`",
        Kind::I32 => "`i32`",
        Kind::I64 => "`i64`",
        Kind::I128 => "`i128`",
        Kind::U8 => "`u8`",
        Kind::U16 => "`u16`",
        Kind::U32 => "`u32`",
        Kind::U64 => "`u64`",
        Kind::U128 => "`u128`",
        Kind::F32 => "`f32`",
        Kind::F64 => "`f64`",
        Kind::Char => "`char`",
        Kind::Text => "text",
        Kind::Bytes => "bytes",
        Kind::Unit => "nothing",
        Kind::Option => "an option",
        Kind::Sequence => "a sequence",
        Kind::Map => "a map",
        Kind::Tuple => "a tuple",
        Kind::Newtype => "a newtype",
        Kind::Struct => "a struct",
        Kind::Enum => "an enumeration",
    }
}

macro_rules! scalars {
    ($($method:ident($value:ty) $kind:ident;)*) => {$(
        fn $method(self, _: $value) -> Result<(), Stop> {
            self.scalar(Kind::$kind)
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    scalars! {
        serialize_bool(bool) Bool;
        serialize_i8(i8) I8;
        serialize_i16(i16) I16;
        serialize_i32(i32) I32;
        serialize_i64(i64) I64;
        serialize_i128(i128) I128;
        serialize_u8(u8) U8;
        serialize_u16(u16) U16;
        serialize_u32(u32) U32;
        serialize_u64(u64) U64;
        serialize_u128(u128) U128;
        serialize_f32(f32) F32;
        serialize_f64(f64) F64;
        serialize_char(char) Char;
        serialize_str(&str) Text;
        serialize_bytes(&[u8]) Bytes;
        serialize_unit_struct(&'static str) Unit;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        self.scalar(Kind::Unit)
    }

    fn serialize_none(self) -> Result<(), Stop> {
        self.scalar(Kind::Option)
    }

    fn serialize_some<T: ?Sized + Serialize>(mut self, value: &T) -> Result<(), Stop> {
        let place = self.at(Kind::Option)?;
        let inner = place.and_then(|id| self.tracer.graph.place(id).children.first().copied());
        value.serialize(Writer { tracer: self.tracer, place: inner, near: self.near })
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
    ) -> Result<(), Stop> {
        self.variant(number, name)?.scalar(Kind::Unit)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self.variant(number, name)?)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'a>, Stop> {
        self.compound(Kind::Sequence, length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'a>, Stop> {
        self.compound(Kind::Tuple, Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Compound<'a>, Stop> {
        self.compound(Kind::Tuple, Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Stop> {
        self.variant(number, name)?.compound(Kind::Tuple, Some(length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Compound<'a>, Stop> {
        if length.is_none() {
            return self.tracer.misfit(
                self.near,
                "it is written as a map of unknown length, as `flatten` does, and bincode writes the length first",
            );
        }
        self.compound(Kind::Map, length)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Compound<'a>, Stop> {
        self.compound(Kind::Struct, Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Stop> {
        self.variant(number, name)?.compound(Kind::Struct, Some(length))
    }
}

/// What has members, as far as it is written.
pub(super) struct Compound<'a> {
    tracer: &'a mut Tracer,
    place: Option<PlaceId>,
    near: PlaceId,
    length: Option<usize>,
    written: usize,
}

impl Compound<'_> {
    fn write<T: ?Sized + Serialize>(&mut self, number: usize, value: &T) -> Result<(), Stop> {
        let place = self.place.and_then(|id| {
            let children = &self.tracer.graph.place(id).children;
            // The elements of an array share a place.
            children.get(number).or(children.first()).copied()
        });
        value.serialize(Writer {
            tracer: &mut *self.tracer,
            place,
            near: place.unwrap_or(self.near),
        })
    }

    fn element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Stop> {
        self.written += 1;
        self.write(0, value)
    }

    fn member<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Stop> {
        let number = self.written;
        self.written += 1;
        self.write(number, value)
    }

    fn field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Stop> {
        let number = self.written;
        if let Some(id) = self.place {
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
        }
        self.member(value)
    }

    fn skipped<T>(&mut self, name: &'static str) -> Result<T, Stop> {
        let reason = format!(
            "the field `{name}` is left out for some values (`skip_serializing_if`), and what follows would be read in \
             its place"
        );
        self.tracer.misfit(self.near, reason)
    }

    /// Compares the number of members.
    fn end_members(self) -> Result<(), Stop> {
        let Some(id) = self.place else { return Ok(()) };
        let place = self.tracer.graph.place(id);
        let shared = place.children.len() == 1 && self.written > 1;
        let read = place.children.len();
        if read == self.written || (shared && place.kind == Kind::Tuple) {
            return Ok(());
        }
        let missing = place.read_names.get(self.written).copied();
        let reason = match missing {
            Some(name) if read > self.written => {
                format!("the field `{name}` is read and not written")
            }
            _ => format!("it is written with {} members and read with {read}", self.written),
        };
        self.tracer.misfit(id, reason)
    }

    fn end_elements(self) -> Result<(), Stop> {
        match self.length {
            Some(length) if length != self.written => self.tracer.misfit(
                self.near,
                format!("it announces {length} elements and writes {}", self.written),
            ),
            None => self.tracer.misfit(
                self.near,
                "it is written as a sequence of unknown length, and bincode writes the length first",
            ),
            _ => Ok(()),
        }
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Stop> {
        self.element(value)
    }

    fn end(self) -> Result<(), Stop> {
        self.end_elements()
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Stop> {
        self.element(key)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Stop> {
        self.write(1, value)
    }

    fn end(self) -> Result<(), Stop> {
        self.end_elements()
    }
}

macro_rules! tuples {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Stop;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Stop> {
                self.member(value)
            }

            fn end(self) -> Result<(), Stop> {
                self.end_members()
            }
        }
    )*};
}

tuples! {
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Stop;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Stop> {
                self.field(name, value)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), Stop> {
                self.skipped(name)
            }

            fn end(self) -> Result<(), Stop> {
                self.end_members()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }
