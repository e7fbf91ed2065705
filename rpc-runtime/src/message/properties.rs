//! The properties of a message.

use smol_str::SmolStr;

use super::{DEATHS, Expiration, HeaderValue, Headers, Id};

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
