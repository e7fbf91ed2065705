//! JSON, bounded.
//!
//! `serde_json` counts the levels of the text. A type that contains itself through an `Option` alone goes on without a
//! level more of text: `struct Chain(Option<Box<Chain>>)` would be read for ever out of the body `1`.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    DecodeError, EncodeError, Encoding,
    bounded::{Bounded, Budget},
    faithful::Faithful,
};

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let value = Faithful::new(value, Encoding::Json);
    let body = serde_json::to_vec(&value);
    // Without room to spare: a body is kept for as long as its call is in flight.
    body.map(|body| body.into_boxed_slice().into())
        .map_err(|error| EncodeError::new(Encoding::Json, error))
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
