//! Plain scalars: a string, character, boolean or number as a person would write it.

use std::str;

use bytes::Bytes;
use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed, SeqAccess, value::SeqAccessDeserializer},
};

use super::{
    Compound, DecodeError, EncodeError, Encoding, Inspector, Members, Place, Scalar,
    bounded::{Bounded, Budget},
    inspect,
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
    let text = inspect(arguments, OneArgument(None)).map_err(refused)?;
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

/// Writes `(argument,)` as its only element, and `()` as nothing. Arguments are always a tuple; anything else is refused.
struct OneArgument(Option<String>);

fn not_one<T>() -> Result<T, Error> {
    Err(serde::ser::Error::custom("text carries one scalar argument"))
}

impl Inspector for OneArgument {
    type Ok = String;
    type Error = Error;
    type Members = Self;

    fn scalar(self, scalar: Scalar) -> Result<String, Error> {
        if scalar == Scalar::Unit { Ok(String::new()) } else { not_one() }
    }

    fn none(self) -> Result<String, Error> {
        not_one()
    }

    fn some<T: ?Sized + Serialize>(self, _: &T) -> Result<String, Error> {
        not_one()
    }

    fn newtype<T: ?Sized + Serialize>(self, _: &T) -> Result<String, Error> {
        not_one()
    }

    fn variant(self, _: u32, _: &'static str) -> Result<Self, Error> {
        not_one()
    }

    fn members(self, compound: Compound, length: Option<usize>) -> Result<Self, Error> {
        if (compound, length) == (Compound::Tuple, Some(1)) { Ok(self) } else { not_one() }
    }
}

impl Members for OneArgument {
    type Ok = String;
    type Error = Error;

    fn member<T: ?Sized + Serialize>(&mut self, _: Place, value: &T) -> Result<(), Error> {
        self.0 = Some(value.serialize(serde_plain::Serializer)?);
        Ok(())
    }

    fn end(self) -> Result<String, Error> {
        Ok(self.0.unwrap_or_default())
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
