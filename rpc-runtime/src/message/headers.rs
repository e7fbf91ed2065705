//! The headers of a message.

use smallvec::SmallVec;
use smol_str::SmolStr;

/// The framework's own three stand in the message itself.
pub(crate) type Headers = SmallVec<[(SmolStr, HeaderValue); 3]>;

/// The header that RabbitMQ adds where it dead-letters a message.
pub(crate) const DEATHS: &str = "x-death";

/// The value of a header. What this framework has no use for is only measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HeaderValue {
    Text(SmolStr),
    Integer(i64),
    /// A whole number that is written in 32 bits. One that comes is an [`Integer`](Self::Integer).
    Small(i32),
    Boolean(bool),
    /// Anything else: its size in bytes, and how many tables or arrays deep it is.
    Opaque {
        size: usize,
        depth: usize,
    },
    /// What RabbitMQ says of the times that it dead-lettered the message; measured like anything else.
    Deaths {
        size: u32,
        depth: u8,
        /// One of the reasons is that it expired.
        expired: bool,
    },
}

impl HeaderValue {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) | Self::Small(_) => 8,
            Self::Boolean(_) => 1,
            Self::Opaque { size, .. } => *size,
            Self::Deaths { size, .. } => *size as usize,
        }
    }

    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Opaque { depth, .. } => *depth,
            Self::Deaths { depth, .. } => usize::from(*depth),
            _ => 0,
        }
    }

    /// What a handler sees of it.
    pub(crate) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Small(number) => Some(number.to_string()),
            Self::Boolean(flag) => Some(flag.to_string()),
            Self::Opaque { .. } | Self::Deaths { .. } => None,
        }
    }
}
