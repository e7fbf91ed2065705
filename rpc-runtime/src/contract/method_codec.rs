//! Decodes one method's requests and encodes its replies, for its servers.

use std::fmt;

use super::{
    Method, ReturnType,
    method::{Given, Tuple},
};
use crate::{
    codec::{self, DecodeError, EncodeError, Encoding},
    reply::Reply,
};

/// How a server decodes the arguments of the method `M`, and encodes its result.
///
/// Generated code puts it into a static next to the trait, so the functions are compiled in the trait's crate. If they
/// were called as generic functions, each crate that serves the trait would compile them again, for all three
/// encodings.
pub struct MethodCodec<M: Method<FALLIBLE>, const FALLIBLE: bool> {
    pub(crate) decode: fn(&[u8], Encoding) -> Result<Given<M, FALLIBLE>, DecodeError>,
    pub(crate) encode: fn(M::Output, Encoding) -> Result<Reply, EncodeError>,
}

impl<M: Method<FALLIBLE>, const FALLIBLE: bool> MethodCodec<M, FALLIBLE> {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "a static is made by it, which no default could")]
    pub const fn new() -> Self {
        Self { decode: decode::<M, FALLIBLE>, encode: encode::<M, FALLIBLE> }
    }
}

fn decode<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    body: &[u8],
    encoding: Encoding,
) -> Result<Given<M, FALLIBLE>, DecodeError> {
    codec::decode_arguments(body, M::DESCRIPTOR.arguments, encoding).map(M::Arguments::take)
}

fn encode<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    output: M::Output,
    encoding: Encoding,
) -> Result<Reply, EncodeError> {
    let reply = output.encode(encoding)?;
    if !M::DESCRIPTOR.signature.unseen().is_empty() {
        M::Output::reads_back(&reply)?;
    }
    Ok(reply)
}

impl<M: Method<FALLIBLE>, const FALLIBLE: bool> fmt::Debug for MethodCodec<M, FALLIBLE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodCodec").field("method", &M::DESCRIPTOR.name).finish()
    }
}
