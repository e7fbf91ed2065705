//! Plain scalars: a string, character, boolean or number as a person would write it.

use std::str;

use bytes::Bytes;
use serde::{
    Serialize, Serializer,
    de::{DeserializeOwned, DeserializeSeed, SeqAccess, value::SeqAccessDeserializer},
    ser::{Impossible, SerializeTuple},
};

use super::{
    DecodeError, EncodeError, Encoding,
    bounded::{Bounded, Budget},
};

type Error = serde_plain::Error;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let text = serde_plain::to_string(value).map_err(refused)?;
    Ok(text.into())
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    // A type that contains itself through an `Option` alone would be read for ever.
    let budget = Budget::for_bytes(body.len());
    let text = serde_plain::Deserializer::new(as_text(body)?);
    T::deserialize(Bounded::new(text, &budget))
        .map_err(|error| DecodeError::new(Encoding::Text, error))
}

/// Writes a tuple of one argument, or of none.
pub(super) fn encode_arguments<A: Serialize>(arguments: &A) -> Result<Bytes, EncodeError> {
    let text = arguments.serialize(OneArgument(None)).map_err(refused)?;
    Ok(text.into())
}

/// Reads a tuple of one argument.
pub(super) fn decode_argument<A: DeserializeOwned>(body: &[u8]) -> Result<A, DecodeError> {
    let argument = Argument(Some(as_text(body)?));
    let budget = Budget::for_bytes(body.len());
    A::deserialize(Bounded::new(SeqAccessDeserializer::new(argument), &budget))
        .map_err(|error| DecodeError::new(Encoding::Text, error))
}

fn as_text(body: &[u8]) -> Result<&str, DecodeError> {
    str::from_utf8(body).map_err(|error| DecodeError::new(Encoding::Text, error))
}

fn refused(error: Error) -> EncodeError {
    EncodeError::new(Encoding::Text, error)
}

struct Argument<'a>(Option<&'a str>);

impl<'de> SeqAccess<'de> for Argument<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|text| seed.deserialize(serde_plain::Deserializer::new(text))).transpose()
    }
}

/// Serializes `(argument,)` as its only element, and `()` as nothing.
struct OneArgument(Option<String>);

impl SerializeTuple for OneArgument {
    type Ok = String;
    type Error = Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.0 = Some(value.serialize(serde_plain::Serializer)?);
        Ok(())
    }

    fn end(self) -> Result<String, Error> {
        Ok(self.0.unwrap_or_default())
    }
}

/// Arguments are always a tuple, so nothing else can come here; if it does, it is refused.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $out:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$out, Error> {
            Err(not_one())
        }
    )*};
}

macro_rules! refuse_generic {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method<T: ?Sized + Serialize>(self, $(_: $argument,)* _: &T) -> Result<String, Error> {
            Err(not_one())
        }
    )*};
}

fn not_one() -> Error {
    serde::ser::Error::custom("text carries one scalar argument")
}

impl Serializer for OneArgument {
    type Ok = String;
    type Error = Error;
    type SerializeSeq = Impossible<String, Error>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<String, Error>;
    type SerializeTupleVariant = Impossible<String, Error>;
    type SerializeMap = Impossible<String, Error>;
    type SerializeStruct = Impossible<String, Error>;
    type SerializeStructVariant = Impossible<String, Error>;

    fn serialize_unit(self) -> Result<String, Error> {
        Ok(String::new())
    }

    fn serialize_tuple(self, len: usize) -> Result<Self, Error> {
        if len == 1 { Ok(self) } else { Err(not_one()) }
    }

    refuse! {
        serialize_bool(bool) -> String;
        serialize_i8(i8) -> String;
        serialize_i16(i16) -> String;
        serialize_i32(i32) -> String;
        serialize_i64(i64) -> String;
        serialize_u8(u8) -> String;
        serialize_u16(u16) -> String;
        serialize_u32(u32) -> String;
        serialize_u64(u64) -> String;
        serialize_f32(f32) -> String;
        serialize_f64(f64) -> String;
        serialize_char(char) -> String;
        serialize_str(&str) -> String;
        serialize_bytes(&[u8]) -> String;
        serialize_none() -> String;
        serialize_unit_struct(&'static str) -> String;
        serialize_unit_variant(&'static str, u32, &'static str) -> String;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    refuse_generic! {
        serialize_some();
        serialize_newtype_struct(&'static str);
        serialize_newtype_variant(&'static str, u32, &'static str);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_written_in_their_plain_form() {
        assert_eq!(encode(&30u32).unwrap(), "30");
        assert_eq!(encode(&true).unwrap(), "true");
        assert_eq!(encode(&'x').unwrap(), "x");
        assert_eq!(encode(&1.5f64).unwrap(), "1.5");
        assert_eq!(encode(&"a b").unwrap(), "a b");
        assert!(encode(&vec![1, 2]).is_err());
    }

    #[test]
    fn one_argument_is_written_bare_and_two_are_refused() {
        assert_eq!(encode_arguments(&(30u32,)).unwrap(), "30");
        assert_eq!(encode_arguments(&()).unwrap(), "");
        assert!(encode_arguments(&(1, 2)).is_err());
        assert!(encode_arguments(&(vec![1],)).is_err());
        assert_eq!(decode_argument::<(u32,)>(b"30").unwrap(), (30,));
        assert_eq!(decode_argument::<(String,)>(b"30").unwrap(), ("30".to_owned(),));
        assert!(decode_argument::<(u32,)>(b"").is_err());
        assert!(decode_argument::<(u32,)>(b"3x").is_err());
        assert!(decode_argument::<(u32,)>(&[0xff]).is_err());
    }
}
