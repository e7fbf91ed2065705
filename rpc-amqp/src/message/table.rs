//! Tables: the headers of a message, and the arguments of a declaration.

use smallvec::SmallVec;
use smol_str::SmolStr;

/// An AMQP table: names with values, in order. Up to three are stored inline.
pub type Table = SmallVec<[(SmolStr, Value); 3]>;

/// The header that RabbitMQ adds to a dead-lettered message.
pub const DEATHS: &str = "x-death";

/// A value in a table. Only scalars are kept. For any other value, only size and depth are.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(SmolStr),
    /// A whole number.
    Integer(i64),
    /// A whole number that is written with 32 bits. A received one is an [`Integer`](Self::Integer).
    Small(i32),
    /// A boolean.
    Boolean(bool),
    /// Any other received value. It is written as the empty value.
    Opaque {
        /// Its size in bytes.
        size: usize,
        /// How many tables or arrays are nested in it.
        depth: usize,
    },
    /// The header [`DEATHS`], as RabbitMQ writes it. Size and depth are measured as for other lists.
    Deaths {
        /// Its size in bytes.
        size: u32,
        /// How many tables or arrays are nested in it.
        depth: u8,
        /// Whether one of the reasons is that the message expired.
        expired: bool,
    },
}

impl Value {
    /// Its size in bytes, as limits count it.
    #[inline]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Integer(_) | Self::Small(_) => 8,
            Self::Boolean(_) => 1,
            Self::Opaque { size, .. } => *size,
            Self::Deaths { size, .. } => *size as usize,
        }
    }

    /// How many tables or arrays are nested in it.
    #[inline]
    pub fn depth(&self) -> usize {
        match self {
            Self::Opaque { depth, .. } => *depth,
            Self::Deaths { depth, .. } => usize::from(*depth),
            _ => 0,
        }
    }

    /// A scalar as text.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Small(number) => Some(number.to_string()),
            Self::Boolean(flag) => Some(flag.to_string()),
            Self::Opaque { .. } | Self::Deaths { .. } => None,
        }
    }
}
