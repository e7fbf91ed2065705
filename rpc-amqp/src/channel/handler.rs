//! The receiver of a channel's messages.

use crate::{
    Error, limits,
    message::{Delivery, Properties},
};

/// Receives the messages and the events of a channel.
///
/// The connection's I/O task calls these methods in the order of the frames, and reads nothing meanwhile. They must
/// not block: hand the message to a task of your own.
pub trait ChannelHandler: Send + Sync {
    /// A message for the consumer of the channel.
    fn delivered(&self, _delivery: Delivery) {}

    /// A message for the consumer of the channel. Its properties, in a frame of `size` bytes, were too large to be
    /// read.
    fn unreadable(&self, _tag: u64, _size: usize) {}

    /// The largest body that is kept, in bytes. For a larger body only the size is known. This is not called for
    /// bodies of up to 1 MiB.
    fn max_body(&self) -> usize {
        limits::MAX_BODY
    }

    /// The broker has ended the consumer of the channel because its queue was deleted.
    fn cancelled(&self) {}

    /// A mandatory message was returned because no queue is bound to its routing key. This is called before the
    /// message is confirmed.
    fn returned(&self, _properties: Properties) {}

    /// The broker has accepted or rejected published messages. `number` is the position of the message on the channel,
    /// counted from 1. With `multiple`, it covers all unconfirmed messages up to that one. See
    /// [`Unconfirmed`](crate::Unconfirmed).
    fn confirmed(&self, _number: u64, _multiple: bool, _confirmation: Confirmation) {}

    /// The channel has ended. No other method is called after this one.
    fn closed(&self, _why: Error) {}
}

/// What the broker did with a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The broker is now responsible for it (`basic.ack`).
    Ack,
    /// A queue refused it (`basic.nack`), for example because it is full.
    Nack,
}
