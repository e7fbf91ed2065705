//! JSON, bounded.
//!
//! `serde_json` counts the levels of the text. A type that contains itself through an `Option` alone goes on without a
//! level more of text: `struct Chain(Option<Box<Chain>>)` would be read for ever out of the body `1`.

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
