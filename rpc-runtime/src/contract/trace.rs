//! What a type serializes to, found out by deserializing it from a source that writes down what it is asked for.
//!
//! Enumerations take one pass for each variant. A type that contains itself is followed until it comes again. A type that refuses the
//! sample values (one that validates a string, say) ends its pass there: what stands before is still seen.

use std::{
    collections::HashMap,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error, IntoDeserializer, MapAccess,
        SeqAccess, VariantAccess, Visitor, value::U32Deserializer,
    },
};

/// Types are followed so deep.
const DEEPEST: usize = 64;
/// Types that are larger than this are seen in part.
const LONGEST: usize = 64 * 1024;
const MOST_PASSES: usize = 1024;

/// Describes what `T` serializes to; the same for the same type in every build.
pub(super) fn describe<T: DeserializeOwned>() -> String {
    describe_by(|tracer| T::deserialize(tracer).is_ok())
}

/// The same with what reads the type; compiled once for all types.
fn describe_by(read: fn(&mut Tracer) -> bool) -> String {
    let mut tracer = Tracer::default();
    for _ in 0..MOST_PASSES {
        tracer.again = false;
        tracer.levels = 0;
        tracer.on_path.clear();
        tracer.repeated = 0;
        // Code of the user's may not be prepared for the sample values.
        let pass = catch_unwind(AssertUnwindSafe(|| read(&mut tracer)));
        if !pass.unwrap_or(false) {
            tracer.say("!");
        }
        if !tracer.again || tracer.said.len() > LONGEST {
            break;
        }
        tracer.say(";");
    }
    tracer.said
}

#[derive(Default)]
struct Tracer {
    said: String,
    levels: usize,
    /// Of each enumeration: how many variants have been seen.
    variants_seen: HashMap<Named, usize>,
    /// What the walk is inside of.
    on_path: Vec<Named>,
    /// How many of these stand there twice: the walk has been here, and looks for a way out.
    repeated: usize,
    /// Some variant has not been seen yet.
    again: bool,
}

/// A struct or an enumeration is known by its name and its fields or variants.
type Named = (&'static str, &'static [&'static str]);

#[derive(Debug)]
struct Stop;

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

impl Tracer {
    fn say(&mut self, what: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.said, "{what}");
    }

    /// Goes one level down, unless that is too deep.
    fn nested<T>(
        &mut self,
        open: &str,
        close: &str,
        walk: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.say(open);
        self.levels += 1;
        if self.levels > 2 * DEEPEST || self.said.len() > LONGEST {
            return Err(Stop);
        }
        let walked = walk(self);
        self.levels -= 1;
        self.say(close);
        walked
    }

    /// The same for something that has a name, and so is recognised when it comes again.
    fn named<T>(
        &mut self,
        named: Named,
        (open, close): (&str, &str),
        walk: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let repeated = usize::from(self.on_path.contains(&named));
        self.repeated += repeated;
        self.on_path.push(named);
        let walked = self.nested(open, close, walk);
        self.on_path.pop();
        self.repeated -= repeated;
        walked
    }

    /// Whether to take the shortest way from here.
    fn deep(&self) -> bool {
        self.repeated > 0 || self.levels >= DEEPEST
    }

    /// The variant to follow: each once at the outermost place, and one that ends the recursion further in.
    fn choose(&mut self, enumeration: Named) -> usize {
        let count = enumeration.1.len();
        let seen = self.variants_seen.entry(enumeration).or_default();
        if self.on_path.contains(&enumeration) {
            return self.levels % count.max(1);
        }
        let chosen = *seen;
        *seen += 1;
        if *seen < count {
            self.again = true;
        }
        chosen.min(count.saturating_sub(1))
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $sample:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.say(stringify!($visit).trim_start_matches("visit_"));
            visitor.$visit($sample)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Tracer {
    type Error = Stop;

    // One, not zero: there are types of numbers without a zero.
    scalars! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'a';
        deserialize_str visit_str "";
        deserialize_string visit_str "";
        deserialize_bytes visit_bytes &[];
        deserialize_byte_buf visit_bytes &[];

    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.say("unit");
        visitor.visit_unit()
    }

    /// As bincode, which some types look at to choose their form.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.say("any");
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_u32(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.deep() {
            self.say("?…");
            return visitor.visit_none();
        }
        self.nested("?(", ")", |tracer| visitor.visit_some(tracer))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // bincode does not write it either. It still counts as a level, or a type could contain itself for ever.
        self.nested("", "", |tracer| visitor.visit_newtype_struct(tracer))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let length = usize::from(!self.deep());
        self.nested("[", "]", |tracer| visitor.visit_seq(Members::unnamed(tracer, length)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.nested("(", ")", |tracer| visitor.visit_seq(Members::unnamed(tracer, length)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let length = usize::from(!self.deep());
        self.nested("{", "}", |tracer| visitor.visit_map(Members::unnamed(tracer, length)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.named((name, fields), ("<", ">"), |tracer| {
            visitor.visit_seq(Members::named(tracer, fields))
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let enumeration = (name, variants);
        let chosen = self.choose(enumeration);
        self.say(variants.join("|"));
        self.named(enumeration, ("#", ""), |tracer| {
            tracer.say(chosen);
            visitor.visit_enum(Variant { tracer, chosen })
        })
    }
}

/// The members of a sequence, tuple, struct or map.
struct Members<'a> {
    tracer: &'a mut Tracer,
    names: &'static [&'static str],
    left: usize,
}

impl<'a> Members<'a> {
    fn unnamed(tracer: &'a mut Tracer, left: usize) -> Self {
        Self { tracer, names: &[], left }
    }

    fn named(tracer: &'a mut Tracer, names: &'static [&'static str]) -> Self {
        Self { tracer, names, left: names.len() }
    }
}

impl<'de> SeqAccess<'de> for Members<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        if let Some(name) =
            self.names.len().checked_sub(self.left).and_then(|at| self.names.get(at))
        {
            self.tracer.say(format_args!("{name}:"));
        }
        self.left -= 1;
        let value = seed.deserialize(&mut *self.tracer)?;
        self.tracer.say(",");
        Ok(Some(value))
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(&mut *self.tracer)
    }
}

struct Variant<'a> {
    tracer: &'a mut Tracer,
    chosen: usize,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Stop;
    type Variant = &'a mut Tracer;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), Stop> {
        let index = u32::try_from(self.chosen).unwrap_or(u32::MAX);
        let index: U32Deserializer<Stop> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self.tracer))
    }
}

impl<'de> VariantAccess<'de> for &mut Tracer {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests;
