//! Looking at a value without writing it.
//!
//! serde's `Serializer` has a function for each type of scalar, and a trait for each kind of value with members. Code that only
//! looks at values treats most of these alike. So it implements [`Inspector`] and [`Members`], which are short, and the
//! serializer over them stands here once.

use std::fmt;

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

macro_rules! scalars {
    ($($scalar:ident $name:literal)*) => {
        /// A value without another one inside.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Scalar {
            $($scalar,)*
        }

        impl Scalar {
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$scalar => $name,)*
                }
            }
        }
    };
}

scalars! {
    Bool "bool" Char "char" F32 "f32" F64 "f64"
    I8 "i8" I16 "i16" I32 "i32" I64 "i64" I128 "i128"
    U8 "u8" U16 "u16" U32 "u32" U64 "u64" U128 "u128"
    Text "text" Bytes "bytes" Unit "unit"
}

/// A value with members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compound {
    Sequence,
    Map,
    Tuple,
    Struct,
}

/// The place of a member in its compound value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Of a sequence.
    Element,
    /// Of a map; the value of a key follows it.
    Key,
    Value,
    /// Of a tuple.
    Position,
    /// Of a struct.
    Field(&'static str),
}

/// Looks at a value.
pub(crate) trait Inspector: Sized {
    type Ok;
    type Error: Error;
    type Members: Members<Ok = Self::Ok, Error = Self::Error>;

    fn scalar(self, scalar: Scalar) -> Result<Self::Ok, Self::Error>;
    fn none(self) -> Result<Self::Ok, Self::Error>;
    fn some<T: ?Sized + Serialize>(self, value: &T) -> Result<Self::Ok, Self::Error>;
    fn newtype<T: ?Sized + Serialize>(self, value: &T) -> Result<Self::Ok, Self::Error>;

    /// What looks at the content of a variant.
    fn variant(self, number: u32, name: &'static str) -> Result<Self, Self::Error>;

    /// `length` is the number of members, where the value announces it.
    fn members(
        self,
        compound: Compound,
        length: Option<usize>,
    ) -> Result<Self::Members, Self::Error>;
}

/// Looks at the members of a compound value, in order.
pub(crate) trait Members {
    type Ok;
    type Error: Error;

    fn member<T: ?Sized + Serialize>(&mut self, at: Place, value: &T) -> Result<(), Self::Error>;

    /// A field that this value leaves out.
    fn skipped(&mut self, _name: &'static str) -> Result<(), Self::Error> {
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Self::Error>;
}

/// Has an inspector look at a value, as bincode would write it.
pub(crate) fn inspect<I: Inspector, T: ?Sized + Serialize>(
    value: &T,
    inspector: I,
) -> Result<I::Ok, I::Error> {
    value.serialize(Inspecting(inspector))
}

struct Inspecting<T>(T);

macro_rules! scalar_functions {
    ($($function:ident($type:ty) $scalar:ident;)*) => {$(
        fn $function(self, _: $type) -> Result<I::Ok, I::Error> {
            self.0.scalar(Scalar::$scalar)
        }
    )*};
}

impl<I: Inspector> Serializer for Inspecting<I> {
    type Ok = I::Ok;
    type Error = I::Error;
    type SerializeSeq = Inspecting<I::Members>;
    type SerializeTuple = Inspecting<I::Members>;
    type SerializeTupleStruct = Inspecting<I::Members>;
    type SerializeTupleVariant = Inspecting<I::Members>;
    type SerializeMap = Inspecting<I::Members>;
    type SerializeStruct = Inspecting<I::Members>;
    type SerializeStructVariant = Inspecting<I::Members>;

    scalar_functions! {
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

    fn serialize_unit(self) -> Result<I::Ok, I::Error> {
        self.0.scalar(Scalar::Unit)
    }

    fn serialize_none(self) -> Result<I::Ok, I::Error> {
        self.0.none()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<I::Ok, I::Error> {
        self.0.some(value)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<I::Ok, I::Error> {
        self.0.newtype(value)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
    ) -> Result<I::Ok, I::Error> {
        self.0.variant(number, name)?.scalar(Scalar::Unit)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        value: &T,
    ) -> Result<I::Ok, I::Error> {
        self.0.variant(number, name)?.newtype(value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, I::Error> {
        self.0.members(Compound::Sequence, length).map(Inspecting)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, I::Error> {
        self.0.members(Compound::Map, length).map(Inspecting)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, I::Error> {
        self.0.members(Compound::Tuple, Some(length)).map(Inspecting)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, I::Error> {
        self.0.members(Compound::Tuple, Some(length)).map(Inspecting)
    }

    fn serialize_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, I::Error> {
        self.0.members(Compound::Struct, Some(length)).map(Inspecting)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, I::Error> {
        self.0.variant(number, name)?.members(Compound::Tuple, Some(length)).map(Inspecting)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, I::Error> {
        self.0.variant(number, name)?.members(Compound::Struct, Some(length)).map(Inspecting)
    }

    fn collect_str<T: ?Sized + fmt::Display>(self, _: &T) -> Result<I::Ok, I::Error> {
        self.0.scalar(Scalar::Text)
    }
}

macro_rules! members {
    ($($trait:ident { $($function:ident($($name:ident)?) => $place:expr),* $(; $skip:ident)? })*) => {$(
        impl<M: Members> $trait for Inspecting<M> {
            type Ok = M::Ok;
            type Error = M::Error;

            $(fn $function<T: ?Sized + Serialize>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), M::Error> {
                self.0.member($place, value)
            })*

            $(fn $skip(&mut self, name: &'static str) -> Result<(), M::Error> {
                self.0.skipped(name)
            })?

            fn end(self) -> Result<M::Ok, M::Error> {
                self.0.end()
            }
        }
    )*};
}

members! {
    SerializeSeq { serialize_element() => Place::Element }
    SerializeMap { serialize_key() => Place::Key, serialize_value() => Place::Value }
    SerializeTuple { serialize_element() => Place::Position }
    SerializeTupleStruct { serialize_field() => Place::Position }
    SerializeTupleVariant { serialize_field() => Place::Position }
    SerializeStruct { serialize_field(name) => Place::Field(name); skip_field }
    SerializeStructVariant { serialize_field(name) => Place::Field(name); skip_field }
}
