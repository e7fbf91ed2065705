//! A message as AMQP 0-9-1 has it, in types of our own.

use bytes::Bytes;

/// The properties that this framework reads or writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Properties {
    /// `type`, which is a keyword.
    pub(crate) kind: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) reply_to: Option<String>,
    /// Whole milliseconds, in decimal.
    pub(crate) expiration: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) priority: Option<u8>,
    /// Delivery mode 2.
    pub(crate) persistent: bool,
    pub(crate) headers: Vec<(String, HeaderValue)>,
}

impl Properties {
    /// The header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// The value of a header. What this framework has no use for is only measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HeaderValue {
    Text(String),
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
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Boolean(flag) => Some(flag.to_string()),
            Self::Opaque { .. } => None,
        }
    }
}

/// A message to publish.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) mandatory: bool,
    pub(crate) properties: Properties,
    pub(crate) body: Bytes,
}

/// A message that came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) tag: u64,
    pub(crate) redelivered: bool,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) properties: Properties,
    pub(crate) body: Bytes,
}
