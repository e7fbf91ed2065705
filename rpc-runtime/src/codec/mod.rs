//! How arguments, results and errors are written: bincode, JSON, or plain text.
//!
//! Nothing here trusts its input: what is read is bounded by the bytes that are there.

mod arguments;
#[cfg(any(test, fuzzing))]
pub(crate) mod awkward;
mod binary;
mod bounded;
mod buffer;
mod error;
mod faithful;
mod inspect;
mod json;
#[cfg(test)]
mod property_tests;
mod text;
mod unread;

use std::fmt;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

pub use arguments::ArgumentDescriptor;
pub(crate) use arguments::{decode_arguments, encode_arguments};
pub use error::{DecodeError, EncodeError};
pub(crate) use inspect::{Compound, Inspector, Members, Place, Scalar, inspect};
pub(crate) use json::encode as encode_json;

/// How a body is written.
///
/// Callers choose it, in their trait or at [`ClientBuilder::encoding`](crate::ClientBuilder::encoding); servers read all of
/// them.
///
/// ```
/// use rpc_runtime::Encoding;
///
/// assert_eq!(Encoding::default(), Encoding::Bincode);
/// assert_eq!(Encoding::Json.content_type(), "application/json");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// bincode 2, its standard configuration: compact and fast, for peers that share the trait.
    #[default]
    Bincode,
    /// JSON, for peers in other languages.
    Json,
    /// A plain scalar (`30`), for the simplest of peers.
    Text,
}

impl Encoding {
    /// The `content_type` on the wire.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Bincode => "application/x-bincode",
            Self::Json => "application/json",
            Self::Text => "text/plain",
        }
    }

    /// Reads a `content_type`: in any case, and whatever its parameters.
    pub(crate) fn from_content_type(content_type: &str) -> Option<Self> {
        let known = [Self::Bincode, Self::Json, Self::Text];
        // As nearly everybody writes it.
        let exact = known.into_iter().find(|encoding| encoding.content_type() == content_type);
        exact.or_else(|| {
            let essence = content_type.split(';').next().unwrap_or_default().trim();
            let mut known = known.into_iter();
            known.find(|encoding| encoding.content_type().eq_ignore_ascii_case(essence))
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bincode => "bincode",
            Self::Json => "JSON",
            Self::Text => "text",
        })
    }
}

/// Writes a result.
pub(crate) fn encode_value<T: Serialize>(
    value: &T,
    encoding: Encoding,
) -> Result<Bytes, EncodeError> {
    match encoding {
        Encoding::Bincode => binary::encode(value),
        Encoding::Json => json::encode(value),
        Encoding::Text => text::encode(value),
    }
}

/// Writes a method's own error; in text, one that is no plain scalar becomes JSON.
pub(crate) fn encode_error<E: Serialize>(
    error: &E,
    encoding: Encoding,
) -> Result<(Bytes, Encoding), EncodeError> {
    match encoding {
        Encoding::Text => match text::encode(error) {
            Ok(body) => Ok((body, Encoding::Text)),
            Err(_) => Ok((json::encode(error)?, Encoding::Json)),
        },
        other => Ok((encode_value(error, other)?, other)),
    }
}

/// Reads what was written in bincode, and writes it again: of a type that could not be looked at as a whole, this shows
/// whether it reads what it writes.
pub(crate) fn reads_back<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<(), EncodeError> {
    // The entries of a map may come in another order.
    let sorted = |body: &[u8]| {
        let mut bytes = body.to_vec();
        bytes.sort_unstable();
        bytes
    };
    let again = binary::decode::<T>(body).ok().and_then(|value| binary::encode(&value).ok());
    match again {
        Some(again) if sorted(&again) == sorted(body) => Ok(()),
        _ => Err(EncodeError::because(
            "bincode reads another value than was written: a field or a variant is skipped when it is written or when it \
             is read; use `encoding = \"json\"`, or change the type",
        )),
    }
}

/// Reads a result or a method's own error.
pub(crate) fn decode_value<T: DeserializeOwned>(
    body: &[u8],
    encoding: Encoding,
) -> Result<T, DecodeError> {
    match encoding {
        Encoding::Bincode => binary::decode(body),
        Encoding::Json => {
            let body = if body.is_empty() { b"null" } else { body };
            json::decode(body)
        }
        Encoding::Text => text::decode(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_read_in_any_case_and_without_its_parameters() {
        for (written, encoding) in [
            ("application/json", Some(Encoding::Json)),
            ("Application/JSON; charset=utf-8", Some(Encoding::Json)),
            ("text/plain;charset=ascii", Some(Encoding::Text)),
            (" application/x-bincode ", Some(Encoding::Bincode)),
            ("application/xml", None),
            ("", None),
        ] {
            assert_eq!(Encoding::from_content_type(written), encoding, "{written:?}");
        }
    }

    #[test]
    fn unit_is_empty_and_null_in_json() {
        for (encoding, written) in
            [(Encoding::Bincode, ""), (Encoding::Json, "null"), (Encoding::Text, "")]
        {
            assert_eq!(encode_value(&(), encoding).unwrap(), written);
            decode_value::<()>(written.as_bytes(), encoding).unwrap();
        }
        decode_value::<()>(b"", Encoding::Json).unwrap();
    }

    #[test]
    fn a_structured_error_of_a_text_service_is_written_as_json() {
        let (body, encoding) = encode_error(&vec![1, 2], Encoding::Text).unwrap();
        assert_eq!((&body[..], encoding), (&b"[1,2]"[..], Encoding::Json));
        let (body, encoding) = encode_error(&"too big", Encoding::Text).unwrap();
        assert_eq!((&body[..], encoding), (&b"too big"[..], Encoding::Text));
    }
}
