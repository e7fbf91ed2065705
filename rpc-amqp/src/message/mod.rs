//! A message.
//!
//! Most texts of a message are short, or the same in many messages. They need no allocation of their own, and copying
//! a message costs little more than copying a pointer.

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

/// A message, published or received.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// The exchange. Empty for the default exchange.
    pub exchange: SmolStr,
    /// The routing key. With the default exchange, this is the name of the queue.
    pub routing_key: SmolStr,
    /// The broker returns the message if it can route it to no queue.
    pub mandatory: bool,
    /// The properties.
    pub properties: Properties,
    /// The body.
    pub body: Bytes,
    /// The size of a received body that was too large to keep. Otherwise 0.
    pub dropped: usize,
}

impl Message {
    /// The size of the body, even if it was not kept.
    #[inline]
    pub fn size(&self) -> usize {
        self.body.len().max(self.dropped)
    }

    /// The body. It is not copied if this is the only handle of the message.
    #[inline]
    pub fn into_body(mut message: Arc<Self>) -> Bytes {
        match Arc::get_mut(&mut message) {
            Some(own) => mem::take(&mut own.body),
            None => message.body.clone(),
        }
    }
}

/// A consumed message, which has to be acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The delivery tag.
    pub tag: u64,
    /// The broker has delivered the message before.
    pub redelivered: bool,
    /// The message.
    pub message: Arc<Message>,
}

impl Delivery {
    /// Whether a consumer may have had the message before. RabbitMQ does not mark a message as redelivered if it was
    /// dead-lettered and moved back.
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
