//! Reads a type from samples, and notes what it asks for.

use std::{any::type_name, fmt, mem::size_of};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
        Visitor, value::U32Deserializer,
    },
};

use super::{
    Tracer,
    graph::{Key, Kind, PlaceId},
    misfit::{Misfit, Step},
    samples,
};
use crate::codec::Scalar;

/// Types are followed so deep.
const DEEPEST: usize = 128;

const SELF_DESCRIBING: &str = "it asks what comes next, and bincode does not write that: `untagged`, `tag`, `flatten` and \
    types such as `serde_json::Value` do so";

/// Of the type: serde does not say which of its fields is marked.
const READ_BY_NAMES: &str = "is read by the names of its fields, as serde reads a struct with `flatten`, and bincode does not write \
    names";

/// The sample was refused, or the walk cannot go on.
#[derive(Debug)]
pub struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sample value was refused")
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl serde::ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Tracer {
    /// Reads what stands at a place.
    fn inside<T>(
        &mut self,
        place: PlaceId,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.steps += 1;
        let depth = self.pass.frames.len();
        if depth > DEEPEST || self.steps > super::MOST_STEPS {
            return Err(Stop);
        }
        let known = self.graph.place_mut(place);
        if known.type_name.is_empty() {
            known.type_name = type_name::<T>();
        }
        self.pass.enter_frame(place);
        let outside = std::mem::replace(&mut self.pass.cursor, place);
        let read = read(self);
        self.pass.cursor = outside;
        let value = read?;
        self.pass.frames.truncate(depth);
        Ok(value)
    }

    /// Reads a type that has a name: it is known when it comes again.
    fn named<T>(
        &mut self,
        key: Key,
        kind: Kind,
        read: impl FnOnce(&mut Self, PlaceId) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let here = self.pass.cursor;
        let described = self.graph.described_at(key, here);
        self.graph.note(described, kind);
        self.graph.recursive |= self.pass.path.contains(&described);
        self.pass.path.push(described);
        let depth = self.pass.path.len();
        let value = read(self, described)?;
        self.pass.path.truncate(depth - 1);
        Ok(value)
    }

    fn sample<T: Copy + Default>(&mut self, scalar: Scalar, samples: &[T]) -> T {
        let place = self.read_as(Kind::Scalar(scalar));
        let chosen = self.choose_sample(place, samples.len());
        samples.get(chosen).copied().unwrap_or_default()
    }

    /// A choice that leads further in: the walk is inside of it until the value is complete.
    fn filled<T>(
        &mut self,
        kind: Kind,
        count: usize,
        read: impl FnOnce(&mut Self, PlaceId, usize) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let place = self.read_as(kind);
        let open = self.pass.open();
        let chosen = self.choose_filling(place, count);
        let value = read(self, place, chosen)?;
        self.pass.leave(open);
        Ok(value)
    }

    fn cannot_be_read<T>(&mut self, reason: &str) -> Result<T, Stop> {
        let path = self.graph.path(self.pass.cursor);
        self.misfit.get_or_insert_with(|| Misfit::new(&path, reason));
        Err(Stop)
    }
}

/// What a named type is recognised by.
fn key<'de, V: Visitor<'de>>(name: &'static str, members: &'static [&'static str]) -> Key {
    Key { visitor: type_name::<V>(), size: size_of::<V::Value>(), name, members }
}

macro_rules! numbers {
    ($($method:ident $kind:ident $number:ty, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            let fitting = samples::NUMBERS.iter().filter_map(|n| <$number>::try_from(*n).ok());
            let fitting: Vec<$number> = fitting.collect();
            visitor.$visit(self.sample(Scalar::$kind, &fitting))
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Tracer {
    type Error = Stop;

    numbers! {
        deserialize_i8 I8 i8, visit_i8;
        deserialize_i16 I16 i16, visit_i16;
        deserialize_i32 I32 i32, visit_i32;
        deserialize_i64 I64 i64, visit_i64;
        deserialize_i128 I128 i128, visit_i128;
        deserialize_u8 U8 u8, visit_u8;
        deserialize_u16 U16 u16, visit_u16;
        deserialize_u32 U32 u32, visit_u32;
        deserialize_u64 U64 u64, visit_u64;
        deserialize_u128 U128 u128, visit_u128;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_bool(self.sample(Scalar::Bool, &[true, false]))
    }

    #[allow(clippy::cast_possible_truncation, reason = "the samples are small")]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_f32(self.sample(Scalar::F32, samples::FLOATS) as f32)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_f64(self.sample(Scalar::F64, samples::FLOATS))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_char(self.sample(Scalar::Char, samples::CHARACTERS))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_string(self.sample(Scalar::Text, samples::TEXTS).to_owned())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (length, byte) = self.sample(Scalar::Bytes, samples::BYTES);
        visitor.visit_byte_buf(vec![byte; length])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.read_as(Kind::Scalar(Scalar::Unit));
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    /// As bincode, which some types look at to choose their form.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.cannot_be_read(SELF_DESCRIBING)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.cannot_be_read(SELF_DESCRIBING)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        if let Some((path, name)) = self.graph.read_by_names(self.pass.cursor) {
            let name = name.map_or("the type".to_owned(), |name| format!("`{name}`"));
            let reason = format!("{name} {READ_BY_NAMES}");
            self.misfit.get_or_insert_with(|| Misfit::new(&path, reason));
            return Err(Stop);
        }
        self.cannot_be_read(SELF_DESCRIBING)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.filled(Kind::Option, 2, |tracer, place, chosen| {
            let inner = tracer.graph.child(place, 0, Step::Inside);
            if chosen == 1 {
                return visitor.visit_none();
            }
            tracer.inside(inner, |tracer| visitor.visit_some(tracer))
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let key = key::<V>(name, &[]);
        self.named(key, Kind::Newtype, |tracer, place| {
            let inner = tracer.graph.child(place, 0, Step::Inside);
            tracer.inside(inner, |tracer| visitor.visit_newtype_struct(tracer))
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.filled(Kind::Sequence, samples::LENGTHS.len(), |tracer, place, chosen| {
            tracer.graph.child(place, 0, Step::Element);
            let left = samples::LENGTHS.get(chosen).copied().unwrap_or(0);
            visitor.visit_seq(Elements { tracer, place, left })
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.filled(Kind::Map, samples::LENGTHS.len(), |tracer, place, chosen| {
            tracer.graph.child(place, 0, Step::Key);
            tracer.graph.child(place, 1, Step::Value);
            let left = samples::LENGTHS.get(chosen).copied().unwrap_or(0);
            visitor.visit_map(Elements { tracer, place, left })
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let place = self.read_as(Kind::Tuple);
        visitor.visit_seq(Members { tracer: self, place, names: &[], length, read: 0 })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let key = key::<V>(name, &[]);
        self.named(key, Kind::Tuple, |tracer, place| {
            visitor.visit_seq(Members { tracer, place, names: &[], length, read: 0 })
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let key = key::<V>(name, fields);
        self.named(key, Kind::Struct, |tracer, place| tracer.fields(place, fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let key = key::<V>(name, variants);
        self.named(key, Kind::Enum, |tracer, place| {
            tracer.graph.place_mut(place).read_names = variants;
            let open = tracer.pass.open();
            let chosen = tracer.choose_variant(place, variants.len());
            let name = variants.get(chosen).copied().unwrap_or_default();
            tracer.graph.child(place, chosen, Step::Variant(name));
            let value = visitor.visit_enum(Variant { tracer: &mut *tracer, place, chosen })?;
            tracer.pass.leave(open);
            Ok(value)
        })
    }
}

impl Tracer {
    fn fields<'de, V: Visitor<'de>>(
        &mut self,
        place: PlaceId,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.graph.place_mut(place).read_names = names;
        let known = &self.graph.place(place).children;
        let refused = |id: &PlaceId| self.graph.place(*id).refused;
        if !known.iter().any(refused) {
            return visitor.visit_seq(Members {
                tracer: self,
                place,
                names,
                length: names.len(),
                read: 0,
            });
        }
        // The fields that are refused come last, so that the others are seen.
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|number| known.get(*number).is_some_and(refused));
        visitor.visit_map(ByNumber { tracer: self, place, names, order: order.into_iter(), at: 0 })
    }
}

/// The elements of a sequence or map: all at the same place.
struct Elements<'a> {
    tracer: &'a mut Tracer,
    place: PlaceId,
    left: usize,
}

impl Elements<'_> {
    fn next<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.read(0, seed).map(Some)
    }

    fn read<'de, T: DeserializeSeed<'de>>(
        &mut self,
        number: usize,
        seed: T,
    ) -> Result<T::Value, Stop> {
        let step = match self.tracer.graph.place(self.place).kind {
            Kind::Map if number == 0 => Step::Key,
            Kind::Map => Step::Value,
            _ => Step::Element,
        };
        let child = self.tracer.graph.child(self.place, number, step);
        self.tracer.inside(child, |tracer| seed.deserialize(tracer))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.next(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        self.read(1, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The members of a tuple or struct, in order.
struct Members<'a> {
    tracer: &'a mut Tracer,
    place: PlaceId,
    names: &'static [&'static str],
    length: usize,
    read: usize,
}

impl<'de> SeqAccess<'de> for Members<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        let number = self.read;
        if number == self.length {
            return Ok(None);
        }
        self.read += 1;
        let graph = &mut self.tracer.graph;
        let child = match self.names.get(number) {
            Some(name) => graph.child(self.place, number, Step::Field(name)),
            None => graph.element(self.place, number, self.length),
        };
        self.tracer.inside(child, |tracer| seed.deserialize(tracer)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.length - self.read)
    }
}

/// The members of a struct in another order, each called by its number.
struct ByNumber<'a> {
    tracer: &'a mut Tracer,
    place: PlaceId,
    names: &'static [&'static str],
    order: std::vec::IntoIter<usize>,
    at: usize,
}

impl<'de> MapAccess<'de> for ByNumber<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let Some(number) = self.order.next() else { return Ok(None) };
        self.at = number;
        seed.deserialize(number_of(number)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let name = self.names.get(self.at).copied().unwrap_or_default();
        let child = self.tracer.graph.child(self.place, self.at, Step::Field(name));
        self.tracer.inside(child, |tracer| seed.deserialize(tracer))
    }
}

fn number_of(number: usize) -> U32Deserializer<Stop> {
    u32::try_from(number).unwrap_or(u32::MAX).into_deserializer()
}

struct Variant<'a> {
    tracer: &'a mut Tracer,
    place: PlaceId,
    chosen: usize,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        match seed.deserialize(number_of(self.chosen)) {
            Ok(variant) => Ok((variant, self)),
            Err(stop) => {
                self.tracer.no_such_variant(self.place, self.chosen);
                if self.tracer.graph.place(self.place).choices.all_absent() {
                    self.tracer.pass.cursor = self.place;
                    return self.tracer.cannot_be_read(
                        "its variants are not read by their numbers, which is all that bincode writes of them",
                    );
                }
                Err(stop)
            }
        }
    }
}

impl Variant<'_> {
    fn content(&mut self) -> PlaceId {
        let names = self.tracer.graph.place(self.place).read_names;
        let name = names.get(self.chosen).copied().unwrap_or_default();
        self.tracer.graph.child(self.place, self.chosen, Step::Variant(name))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Stop;

    fn unit_variant(mut self) -> Result<(), Stop> {
        let content = self.content();
        self.tracer.graph.note(content, Kind::Scalar(Scalar::Unit));
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, Stop> {
        let content = self.content();
        self.tracer.inside(content, |tracer| seed.deserialize(tracer))
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let content = self.content();
        self.tracer.inside(content, |tracer| tracer.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let content = self.content();
        self.tracer.graph.note(content, Kind::Struct);
        let depth = self.tracer.pass.frames.len();
        self.tracer.pass.enter_frame(content);
        let value = self.tracer.fields(content, fields, visitor)?;
        self.tracer.pass.frames.truncate(depth);
        Ok(value)
    }
}
