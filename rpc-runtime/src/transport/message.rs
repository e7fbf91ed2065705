//! A message as AMQP 0-9-1 has it, in types of our own.
//!
//! Most of its texts are the same from message to message, or short: they are kept without an allocation of their own, and
//! a copy of a message costs hardly more than one of a pointer.

use std::{fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use smol_str::SmolStr;
use uuid::Uuid;

/// The properties that this framework reads or writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Properties {
    /// `type`, which is a keyword.
    pub(crate) kind: Option<SmolStr>,
    pub(crate) content_type: Option<SmolStr>,
    pub(crate) content_encoding: Option<SmolStr>,
    pub(crate) correlation_id: Option<Id>,
    pub(crate) reply_to: Option<SmolStr>,
    /// Whole milliseconds, in decimal.
    pub(crate) expiration: Option<SmolStr>,
    pub(crate) message_id: Option<Id>,
    pub(crate) user_id: Option<SmolStr>,
    pub(crate) priority: Option<u8>,
    /// Delivery mode 2.
    pub(crate) persistent: bool,
    pub(crate) headers: Headers,
}

pub(crate) type Headers = Vec<(SmolStr, HeaderValue)>;

impl Properties {
    /// The header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// What a message is recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// Written with hyphens and in lower case, as this framework does.
    Uuid(Uuid),
    /// As somebody else has it.
    Text(SmolStr),
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        // Another spelling of the same number is another id.
        let as_written_here = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
        match Uuid::try_parse(text) {
            Ok(id) if as_written_here => Self::Uuid(id),
            _ => Self::Text(text.into()),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The value of a header. What this framework has no use for is only measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HeaderValue {
    Text(SmolStr),
    Integer(i64),
    Boolean(bool),
    /// Anything else: its size in bytes, and how many tables or arrays deep it is.
    Opaque {
        size: usize,
        depth: usize,
    },
}

impl HeaderValue {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) => 8,
            Self::Boolean(_) => 1,
            Self::Opaque { size, .. } => *size,
        }
    }

    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Opaque { depth, .. } => *depth,
            _ => 0,
        }
    }

    /// What a handler sees of it.
    pub(crate) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Boolean(flag) => Some(flag.to_string()),
            Self::Opaque { .. } => None,
        }
    }
}

/// A message: to publish, or as it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) exchange: SmolStr,
    pub(crate) routing_key: SmolStr,
    /// It is to come back where there is no queue for it.
    pub(crate) mandatory: bool,
    pub(crate) properties: Properties,
    pub(crate) body: Bytes,
}

impl Message {
    /// Its body, without a copy where nobody else has the message.
    pub(crate) fn into_body(message: Arc<Self>) -> Bytes {
        Arc::try_unwrap(message).map_or_else(|shared| shared.body.clone(), |message| message.body)
    }
}

/// A message that was consumed, to be acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) tag: u64,
    pub(crate) redelivered: bool,
    pub(crate) message: Arc<Message>,
}

impl Deref for Delivery {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        let ours = Uuid::from_u128(0xabc);
        assert_eq!(Id::from(ours.to_string().as_str()), Id::Uuid(ours));
        let others = [ours.simple().to_string(), ours.to_string().to_uppercase(), "7".to_owned()];
        for text in others {
            assert_eq!(Id::from(text.as_str()), Id::Text(text.into()));
        }
    }
}
