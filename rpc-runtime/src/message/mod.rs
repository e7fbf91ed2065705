//! A message as AMQP 0-9-1 has it, in types of our own.
//!
//! Most of its texts are the same from message to message, or short: they are kept without an allocation of their own, and
//! a copy of a message costs hardly more than one of a pointer.

mod expiration;
mod headers;
mod id;
mod properties;

use std::{mem, ops::Deref, sync::Arc};

use bytes::Bytes;
use smol_str::SmolStr;

pub(crate) use expiration::{Expiration, whole_milliseconds};
pub(crate) use headers::{DEATHS, HeaderValue, Headers};
pub(crate) use id::Id;
pub(crate) use properties::Properties;

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
