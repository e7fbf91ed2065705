//! Encodings.
use bytes::Bytes;
use crate::contract::Payload;
/// How arguments and results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding { /// bincode
 Bincode, /// JSON
 Json, /// text
 Text }
#[derive(Debug)] pub struct EncodeError;
#[derive(Debug)] pub struct DecodeError;
pub(crate) fn encode_value<T: Payload>(_: &T, _: Encoding) -> Result<Bytes, EncodeError> { todo!() }
pub(crate) fn encode_error<T: Payload>(_: &T, _: Encoding) -> Result<(Bytes, Encoding), EncodeError> { todo!() }
pub(crate) fn decode_value<T: Payload>(_: &[u8], _: Encoding) -> Result<T, DecodeError> { todo!() }
