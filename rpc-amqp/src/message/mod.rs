//! A message.
//!
//! Most of its texts are short, or the same from message to message: they are kept without an allocation of their own, and
//! a copy of a message costs hardly more than a copy of a pointer.

mod expiration;
mod id;
mod properties;
mod table;

use std::{mem, ops::Deref, sync::Arc};

use bytes::Bytes;
use smol_str::SmolStr;

pub use expiration::Expiration;
pub use id::Id;
pub use properties::Properties;
pub use table::{DEATHS, Table, Value};

/// A message, to publish or as it was received.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// The exchange that it goes to, or came through. Empty for the default one.
    pub exchange: SmolStr,
    /// The routing key. With the default exchange it is the name of the queue.
    pub routing_key: SmolStr,
    /// The broker returns it where it can route it to no queue.
    pub mandatory: bool,
    /// The properties.
    pub properties: Properties,
    /// The body.
    pub body: Bytes,
    /// The size of a received body that was too large to be kept; else 0.
    pub dropped: usize,
}

impl Message {
    /// The size of its body, also of one that was not kept.
    #[inline]
    pub fn size(&self) -> usize {
        self.body.len().max(self.dropped)
    }

    /// Its body, without a copy where this is the only handle of the message.
    #[inline]
    pub fn into_body(mut message: Arc<Self>) -> Bytes {
        match Arc::get_mut(&mut message) {
            Some(own) => mem::take(&mut own.body),
            None => message.body.clone(),
        }
    }
}

/// A message that was consumed, to be acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The delivery tag.
    pub tag: u64,
    /// The broker has delivered it before.
    pub redelivered: bool,
    /// The message.
    pub message: Arc<Message>,
}

impl Delivery {
    /// Whether a consumer may have had it before. RabbitMQ does not mark a message as redelivered that was dead-lettered and
    /// moved back.
    #[inline]
    pub fn had_before(&self) -> bool {
        self.redelivered || self.properties.was_dead_lettered()
    }
}

impl Deref for Delivery {
    type Target = Message;

    #[inline]
    fn deref(&self) -> &Message {
        &self.message
    }
}
