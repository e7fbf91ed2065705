//! Tells methods that return a `Result` from those that do not. It checks the type and not its name.
//!
//! The generated code is `{ use Fallback as _; Probe::<R>::FALLIBLE }`. For a `Result`, in any spelling, rustc finds
//! the inherent constant first. For any other type, it finds only the constant of the trait. That constant selects one
//! of two implementations of [`Returns`], which would overlap without it.

use std::{convert::Infallible, marker::PhantomData};

use super::{
    Payload,
    trace::{ERROR, RESULT, Tracer},
};
use crate::{
    codec::{self, DecodeError, EncodeError, Encoding},
    reply::Reply,
};

/// Checks whether a return type is a `Result`.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<R>);

impl<T, E> Probe<Result<T, E>> {
    /// A `Result`.
    pub const FALLIBLE: bool = true;
}

/// The value of [`Probe`] for types other than `Result`.
pub trait Fallback {
    /// Not a `Result`.
    const FALLIBLE: bool = false;
}

impl<R> Fallback for Probe<R> {}

/// A return type, split into the value and the error of its callers.
pub trait Returns<const FALLIBLE: bool>: Sized {
    /// The caller's value.
    type Value;
    /// The caller's error.
    type Error;
}

impl<T> Returns<false> for T {
    type Value = T;
    type Error = Infallible;
}

impl<T, E> Returns<true> for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// An encoded return value: the value or the error, as bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in an RPC message",
    label = "not serializable, not deserializable, or not owned",
    note = "arguments, results and errors need `#[derive(serde::Serialize, serde::Deserialize)]`, and have to be `Send` and own what they hold"
)]
pub trait ReturnType<const FALLIBLE: bool>: Returns<FALLIBLE> + Send + 'static {
    /// Encodes the value or the error, for the reply.
    ///
    /// # Errors
    ///
    /// serde's error for a value that the encoding cannot express.
    fn encode(self, encoding: Encoding) -> Result<Reply, EncodeError>;

    /// Decodes a value.
    ///
    /// # Errors
    ///
    /// The bytes are not a valid value.
    fn decode_value(body: &[u8], encoding: Encoding) -> Result<Self::Value, DecodeError>;

    /// Checks that a bincode reply decodes to the value that was encoded.
    ///
    /// # Errors
    ///
    /// It decodes to another value.
    fn reads_back(reply: &Reply) -> Result<(), EncodeError>;

    /// Traces its types, for the signature.
    fn trace(tracer: &mut Tracer);

    /// Decodes an error. `None` if the method has none.
    ///
    /// # Errors
    ///
    /// The bytes are not a valid error.
    fn decode_error(body: &[u8], encoding: Encoding) -> Result<Option<Self::Error>, DecodeError>;
}

impl<T: Payload> ReturnType<false> for T {
    fn encode(self, encoding: Encoding) -> Result<Reply, EncodeError> {
        let body = codec::encode_value(&self, encoding)?;
        Ok(Reply::Result { body, encoding })
    }

    fn decode_value(body: &[u8], encoding: Encoding) -> Result<T, DecodeError> {
        codec::decode_value(body, encoding)
    }

    fn reads_back(reply: &Reply) -> Result<(), EncodeError> {
        match reply {
            Reply::Result { body, encoding: Encoding::Bincode } => codec::reads_back::<T>(body),
            _ => Ok(()),
        }
    }

    fn trace(tracer: &mut Tracer) {
        tracer.trace::<T>(RESULT);
    }

    fn decode_error(_: &[u8], _: Encoding) -> Result<Option<Infallible>, DecodeError> {
        Ok(None)
    }
}

impl<T: Payload, E: Payload> ReturnType<true> for Result<T, E> {
    fn encode(self, encoding: Encoding) -> Result<Reply, EncodeError> {
        match self {
            Ok(value) => ReturnType::<false>::encode(value, encoding),
            Err(error) => {
                let (body, encoding) = codec::encode_error(&error, encoding)?;
                Ok(Reply::Error { body, encoding })
            }
        }
    }

    fn decode_value(body: &[u8], encoding: Encoding) -> Result<T, DecodeError> {
        codec::decode_value(body, encoding)
    }

    fn reads_back(reply: &Reply) -> Result<(), EncodeError> {
        match reply {
            Reply::Result { body, encoding: Encoding::Bincode } => codec::reads_back::<T>(body),
            Reply::Error { body, encoding: Encoding::Bincode } => codec::reads_back::<E>(body),
            _ => Ok(()),
        }
    }

    fn trace(tracer: &mut Tracer) {
        tracer.trace::<T>(RESULT);
        tracer.trace::<E>(ERROR);
    }

    fn decode_error(body: &[u8], encoding: Encoding) -> Result<Option<E>, DecodeError> {
        codec::decode_value(body, encoding).map(Some)
    }
}

/// Passes a return type and the result of the probe to the functions that the generated code calls.
#[derive(Debug)]
pub struct Shape<R, const FALLIBLE: bool>(PhantomData<fn() -> R>);

impl<R, const FALLIBLE: bool> Shape<R, FALLIBLE> {
    /// The only value.
    pub const HERE: Self = Self(PhantomData);
}
