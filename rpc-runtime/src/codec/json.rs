//! JSON, with limits.
//!
//! `serde_json` counts the nesting of the text. A type that contains itself only through an `Option` recurses without
//! any nesting in the text: decoding `struct Chain(Option<Box<Chain>>)` from the body `1` would never end.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    DecodeError, EncodeError, Encoding,
    bounded::{Bounded, Budget},
    buffer::Buffer,
    faithful::Faithful,
};

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let value = Faithful::new(value, Encoding::Json);
    let mut body = Buffer::default();
    serde_json::to_writer(&mut body, &value)
        .map_err(|error| EncodeError::new(Encoding::Json, error))?;
    Ok(body.take_body())
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    decode_bounded(body).map_err(|error| DecodeError::new(Encoding::Json, error))
}

fn decode_bounded<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let budget = Budget::for_bytes(body.len());
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = T::deserialize(Bounded::new(&mut json, &budget))?;
    json.end()?;
    Ok(value)
}
