//! Decoding that neither spins nor overflows the stack, whatever the bytes say.
//!
//! bincode believes a length prefix: of text, it allocates as much; of elements that take no bytes, it is busy for hours;
//! and it follows a recursive type as deep as the bytes lead. It has a limit of its own, but as a constant, for which each
//! type would be compiled once for each size of body. This stands between bincode and the type: it looks at the prefix of
//! text before bincode does, and counts elements, of which there cannot be more than bytes but for those that take none,
//! levels, and the memory that the values take.

use std::{cell::Cell, fmt, mem::size_of};

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::unread::Unread;

/// Deeper than any sensible type, and far from the end of a thread's stack: the limit of `serde_json`, too.
const MAX_DEPTH: usize = 128;

/// How many elements may take no bytes.
pub(super) const FREE_ELEMENTS: usize = 1024;

/// A body may become so many times its size in memory: an empty `String` is one byte and takes 24.
const EXPANSION: usize = 32;

/// And so many bytes more, so that a few large values that are left out (`None`) are no matter.
const FREE_MEMORY: usize = 1024 * 1024;

/// What a decoding has left.
pub(super) struct Budget<'a> {
    elements: Cell<usize>,
    levels: Cell<usize>,
    memory: Cell<usize>,
    /// The part of the value that is being read that no inner value has taken yet. An inner value that is larger stands
    /// somewhere else, behind a pointer.
    inline: Cell<usize>,
    /// Where a length stands before text.
    prefixed: Option<&'a Unread<'a>>,
}

impl<'a> Budget<'a> {
    /// For a body of so many bytes, of a format that says where text ends by what follows it.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        Self {
            elements: Cell::new(bytes.saturating_add(FREE_ELEMENTS)),
            levels: Cell::new(MAX_DEPTH),
            memory: Cell::new(bytes.saturating_mul(EXPANSION).saturating_add(FREE_MEMORY)),
            inline: Cell::new(0),
            prefixed: None,
        }
    }

    /// For a body of bincode.
    pub(super) fn of(unread: &'a Unread<'a>) -> Self {
        Self { prefixed: Some(unread), ..Self::for_bytes(unread.left().len()) }
    }

    /// Looks at the length of text or bytes, for which room is made before they are read.
    fn check_length<E: Error>(&self) -> Result<(), E> {
        match self.prefixed.and_then(Unread::next_length) {
            Some((promised, left)) if promised > left as u64 => {
                Err(E::custom(format_args!("{promised} bytes are promised, and {left} are there")))
            }
            _ => Ok(()),
        }
    }

    fn spend_element<E: Error>(&self) -> Result<(), E> {
        let left = self.elements.get().checked_sub(1);
        let left = left.ok_or_else(|| E::custom("more elements than bytes"))?;
        self.elements.set(left);
        Ok(())
    }

    fn spend_memory<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.memory.get().checked_sub(bytes);
        let left = left.ok_or_else(|| {
            E::custom(format_args!(
                "the values take more memory than {EXPANSION} times the body and {FREE_MEMORY} bytes"
            ))
        })?;
        self.memory.set(left);
        Ok(())
    }

    /// Reads a value of so many bytes that is inside of another, if it is not behind a pointer.
    fn nested<T, E: Error>(
        &self,
        size: usize,
        walk: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let left = self.levels.get().checked_sub(1);
        let left =
            left.ok_or_else(|| E::custom(format_args!("nested over {MAX_DEPTH} levels deep")))?;
        let inline = self.inline.get();
        let rest = if let Some(rest) = inline.checked_sub(size) {
            rest
        } else {
            self.spend_memory(size)?;
            inline
        };
        self.levels.set(left);
        self.inline.set(size);
        let walked = walk();
        self.levels.set(left + 1);
        self.inline.set(rest);
        walked
    }

    /// Reads a value that has memory to itself, such as an element of a sequence.
    fn apart<T, E: Error>(
        &self,
        size: usize,
        walk: impl FnOnce() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let outside = self.inline.replace(size);
        let walked = walk()?;
        self.inline.set(outside);
        if walked.is_some() {
            self.spend_memory(size)?;
        }
        Ok(walked)
    }
}

/// Anything of serde's that decodes, with a budget.
pub(super) struct Bounded<'b, D> {
    inner: D,
    budget: &'b Budget<'b>,
    /// Its elements are as many as the bytes say, and not as many as the type has.
    counted: bool,
}

impl<'b, D> Bounded<'b, D> {
    pub(super) fn new(inner: D, budget: &'b Budget<'b>) -> Self {
        Self { inner, budget, counted: false }
    }

    fn counted(inner: D, budget: &'b Budget<'b>) -> Self {
        Self { inner, budget, counted: true }
    }

    /// Reads an element of a sequence, or a key of a map.
    fn element<T, E: Error>(
        &mut self,
        read: impl FnOnce(&mut D, &'b Budget<'b>) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let Self { inner, budget, counted } = self;
        if !*counted {
            return read(inner, budget);
        }
        let element = budget.apart(size_of::<T>(), || read(inner, budget))?;
        if element.is_some() {
            budget.spend_element()?;
        }
        Ok(element)
    }

    fn at_most(&self, promised: Option<usize>) -> Option<usize> {
        // What a prefix promises is believed as far as there are bytes.
        promised.map(|promised| promised.min(self.budget.elements.get()))
    }
}

macro_rules! forward {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

macro_rules! forward_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.budget.check_length()?;
            self.inner.$method(visitor)
        }
    )*};
}

macro_rules! nest {
    ($($wrap:ident $method:ident($($name:ident: $argument:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($name: $argument,)*
            visitor: V,
        ) -> Result<V::Value, D::Error> {
            let Self { inner, budget, .. } = self;
            let size = size_of::<V::Value>();
            budget.nested(size, || inner.$method($($name,)* Bounded::$wrap(visitor, budget)))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32
        deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    forward_text! { deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf }

    nest! {
        new deserialize_option();
        counted deserialize_seq();
        counted deserialize_map();
        new deserialize_tuple(length: usize);
        new deserialize_unit_struct(name: &'static str);
        new deserialize_newtype_struct(name: &'static str);
        new deserialize_tuple_struct(name: &'static str, length: usize);
        new deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        new deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// What holds others hands them on with the same budget. Scalars never come here: they are not wrapped.
impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Bounded::new(inner, self.budget))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Bounded::new(inner, self.budget))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { inner: visitor, budget, counted } = self;
        visitor.visit_seq(Bounded { inner, budget, counted })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { inner: visitor, budget, counted } = self;
        visitor.visit_map(Bounded { inner, budget, counted })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded::new(inner, self.budget))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded::new(inner, self.budget))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.element(|inner, budget| inner.next_element_seed(Bounded::new(seed, budget)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.element(|inner, budget| inner.next_key_seed(Bounded::new(seed, budget)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let Self { inner, budget, counted } = self;
        let seed = Bounded::new(seed, budget);
        if !*counted {
            return inner.next_value_seed(seed);
        }
        let value =
            budget.apart(size_of::<V::Value>(), || inner.next_value_seed(seed).map(Some))?;
        value.ok_or_else(|| A::Error::custom("a value is missing"))
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.inner.size_hint())
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, Bounded::new(variant, self.budget)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(Bounded::new(seed, self.budget))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(length, Bounded::new(visitor, self.budget))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Bounded::new(visitor, self.budget))
    }
}
