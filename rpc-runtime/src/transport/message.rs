//! A message as AMQP 0-9-1 has it, in types of our own.
//!
//! Most of its texts are the same from message to message, or short: they are kept without an allocation of their own, and
//! a copy of a message costs hardly more than one of a pointer.

use std::{fmt, mem, ops::Deref, sync::Arc, time::Duration};

use bytes::Bytes;
use smallvec::SmallVec;
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
    pub(crate) expiration: Option<Expiration>,
    pub(crate) message_id: Option<Id>,
    pub(crate) user_id: Option<SmolStr>,
    pub(crate) priority: Option<u8>,
    /// Delivery mode 2.
    pub(crate) persistent: bool,
    pub(crate) headers: Headers,
}

/// The framework's own three stand in the message itself.
pub(crate) type Headers = SmallVec<[(SmolStr, HeaderValue); 3]>;

/// The header that RabbitMQ adds where it dead-letters a message.
pub(crate) const DEATHS: &str = "x-death";

impl Properties {
    /// The header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether it was in another queue before, or in this one.
    pub(crate) fn was_dead_lettered(&self) -> bool {
        self.header(DEATHS).is_some()
    }

    /// Whether it was dead-lettered because it expired.
    pub(crate) fn has_expired(&self) -> bool {
        matches!(self.header(DEATHS), Some(HeaderValue::Deaths { expired: true, .. }))
    }
}

/// An id of a message. A reply echoes it with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// Written with hyphens and in lower case, as this framework does.
    Uuid(Uuid),
    /// As somebody else has it.
    Text(SmolStr),
    /// No text: 16 raw bytes, say, as Erlang's client writes them.
    Bytes(Arc<[u8]>),
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for Id {
    fn from(written: &T) -> Self {
        let bytes = written.as_ref();
        // Another spelling of the same number is another id. Without an early exit, all bytes are compared at once.
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

/// How long a message may wait in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expiration {
    /// Written in decimal, as this framework does.
    Milliseconds(u32),
    /// As somebody else has it.
    Text(SmolStr),
}

impl Expiration {
    /// The time; `None` for a text that says none.
    pub(crate) fn time(&self) -> Option<Duration> {
        match self {
            Self::Milliseconds(number) => Some(Duration::from_millis((*number).into())),
            Self::Text(text) => whole_milliseconds(text),
        }
    }
}

/// A time of whole milliseconds, in decimal; one in the past is none at all.
pub(crate) fn whole_milliseconds(text: &str) -> Option<Duration> {
    let number: i64 = text.trim().parse().ok()?;
    Some(Duration::from_millis(u64::try_from(number).unwrap_or(0)))
}

impl From<&str> for Expiration {
    fn from(text: &str) -> Self {
        // Another spelling of the same number is another text.
        let as_written_here = text == "0" || text.starts_with(|first| ('1'..='9').contains(&first));
        match text.parse() {
            Ok(number) if as_written_here => Self::Milliseconds(number),
            _ => Self::Text(text.into()),
        }
    }
}

impl fmt::Display for Expiration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Milliseconds(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

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

/// A message: to publish, or as it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) exchange: SmolStr,
    pub(crate) routing_key: SmolStr,
    /// It is to come back where there is no queue for it.
    pub(crate) mandatory: bool,
    pub(crate) properties: Properties,
    pub(crate) body: Bytes,
    /// How large its body was, where that was too large to be kept and is not here; else 0.
    pub(crate) dropped: usize,
}

impl Message {
    /// How large its body is, or was before it was dropped.
    pub(crate) fn size(&self) -> usize {
        self.body.len().max(self.dropped)
    }

    /// Its body, without a copy where nobody else has the message.
    pub(crate) fn into_body(mut message: Arc<Self>) -> Bytes {
        match Arc::get_mut(&mut message) {
            Some(own) => mem::take(&mut own.body),
            None => message.body.clone(),
        }
    }
}

/// A message that was consumed, to be acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) tag: u64,
    pub(crate) redelivered: bool,
    pub(crate) message: Arc<Message>,
}

impl Delivery {
    /// Whether somebody had it before, who may have run it. RabbitMQ does not mark what was dead-lettered and moved back.
    pub(crate) fn had_before(&self) -> bool {
        self.redelivered || self.properties.was_dead_lettered()
    }
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
        assert_eq!(Id::from(&ours.to_string()), Id::Uuid(ours));
        let others = [ours.simple().to_string(), ours.to_string().to_uppercase(), "7".to_owned()];
        for text in others {
            assert_eq!(Id::from(&text), Id::Text(text.into()));
        }
    }

    #[test]
    fn an_id_that_is_no_text_is_shown_escaped() {
        let id = Id::from(&[0xf0, 0x0d, b'a', b'\n']);
        assert_eq!(id.to_string(), r"\xf0\ra\n");
    }

    #[test]
    fn an_expiration_reads_as_it_was_written() {
        for number in [0, 1, 60_000, u32::MAX] {
            let text = number.to_string();
            assert_eq!(Expiration::from(text.as_str()), Expiration::Milliseconds(number));
        }
        for text in ["", "007", "+7", "-7", " 7", "7ms", "4294967296"] {
            let read = Expiration::from(text);
            assert_eq!(read, Expiration::Text(text.into()));
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn an_expiration_in_another_spelling_says_a_time_too() {
        let time = |text| Expiration::from(text).time().map(|time| time.as_millis());
        let times = ["7", "007", " 7 ", "-7", "4294967296", "7ms", ""].map(time);
        assert_eq!(times, [Some(7), Some(7), Some(7), Some(0), Some(1 << 32), None, None]);
    }
}
