//! The ids of a message.

use std::{fmt, sync::Arc};

use smol_str::SmolStr;
use uuid::Uuid;

/// An id of a message: `correlation_id` or `message_id`. It is written with exactly the bytes that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// A UUID, written with hyphens and in lower case.
    Uuid(Uuid),
    /// Any other text.
    Text(SmolStr),
    /// Bytes that are not UTF-8, for example the 16 raw bytes of Erlang's client.
    Bytes(Arc<[u8]>),
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for Id {
    fn from(written: &T) -> Self {
        let bytes = written.as_ref();
        // The same number in another spelling is another id. Without an early exit, all bytes are compared at once.
        let any_upper =
            |bytes: &[u8]| bytes.iter().fold(false, |any, b| any | b.is_ascii_uppercase());
        if bytes.len() == 36
            && !any_upper(bytes)
            && let Ok(id) = Uuid::try_parse_ascii(bytes)
        {
            return Self::Uuid(id);
        }
        str::from_utf8(bytes)
            .map_or_else(|_| Self::Bytes(bytes.into()), |text| Self::Text(text.into()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => bytes.escape_ascii().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_survives_a_round_trip() {
        let ours = Uuid::from_u128(0xabc);
        assert_eq!(Id::from(&ours.to_string()), Id::Uuid(ours));
        let others = [ours.simple().to_string(), ours.to_string().to_uppercase(), "7".to_owned()];
        for text in others {
            assert_eq!(Id::from(&text), Id::Text(text.into()));
        }
    }

    #[test]
    fn an_id_of_bytes_is_shown_escaped() {
        let id = Id::from(&[0xf0, 0x0d, b'a', b'\n']);
        assert_eq!(id.to_string(), r"\xf0\ra\n");
    }
}
