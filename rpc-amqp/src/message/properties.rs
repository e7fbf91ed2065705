//! The properties of a message.

use smol_str::SmolStr;

use super::{DEATHS, Expiration, Id, Table, Value};

/// The properties of a message. `timestamp`, `app_id` and `cluster_id` are neither read nor written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties {
    /// `type`, which is a keyword in Rust.
    pub kind: Option<SmolStr>,
    /// `content_type`.
    pub content_type: Option<SmolStr>,
    /// `content_encoding`.
    pub content_encoding: Option<SmolStr>,
    /// `correlation_id`.
    pub correlation_id: Option<Id>,
    /// `reply_to`.
    pub reply_to: Option<SmolStr>,
    /// `expiration`.
    pub expiration: Option<Expiration>,
    /// `message_id`.
    pub message_id: Option<Id>,
    /// `user_id`. RabbitMQ only accepts the user of the connection.
    pub user_id: Option<SmolStr>,
    /// `priority`.
    pub priority: Option<u8>,
    /// `delivery_mode` 2.
    pub persistent: bool,
    /// `headers`. Received headers that are larger than [`MAX_TABLE_BYTES`](crate::MAX_TABLE_BYTES), or that are not a
    /// table, become one [`Value::Opaque`] without a name.
    pub headers: Table,
}

impl Properties {
    /// The value of this header.
    #[inline]
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether RabbitMQ has dead-lettered the message.
    #[inline]
    pub fn was_dead_lettered(&self) -> bool {
        self.header(DEATHS).is_some()
    }

    /// Whether RabbitMQ has dead-lettered the message because it expired.
    #[inline]
    pub fn has_expired(&self) -> bool {
        matches!(self.header(DEATHS), Some(Value::Deaths { expired: true, .. }))
    }
}
