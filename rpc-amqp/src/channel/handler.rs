//! The receiver of a channel's messages.

use crate::{
    Error, limits,
    message::{Delivery, Properties},
};

/// Receives the messages of a channel and the news about it.
///
/// The I/O task of the connection calls it while the socket waits, in the order in which frames came. So nothing here may
/// block: put the message where a task of your own finds it.
pub trait ChannelHandler: Send + Sync {
    /// A message for the consumer of the channel.
    fn delivered(&self, _delivery: Delivery) {}

    /// A message for the consumer of the channel whose properties were too large to be read: a frame of `size` bytes.
    fn unreadable(&self, _tag: u64, _size: usize) {}

    /// The largest body that is kept. Of a larger one only the size is known. It is not asked for bodies up to a megabyte.
    fn max_body(&self) -> usize {
        limits::MAX_BODY
    }

    /// The broker has ended the consumer of the channel: its queue was deleted.
    fn cancelled(&self) {}

    /// A message that was published as mandatory has come back, as no queue is bound to its routing key. This is called
    /// before the message is confirmed.
    fn returned(&self, _properties: Properties) {}

    /// The broker has accepted or rejected published messages: the one with this number, counted from 1, or with `multiple` all
    /// up to it that were not confirmed before. See [`Unconfirmed`](crate::Unconfirmed).
    fn confirmed(&self, _number: u64, _multiple: bool, _confirmation: Confirmation) {}

    /// The channel has ended. No other method is called after this one.
    fn closed(&self, _why: Error) {}
}

/// What the broker did with a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// It is in the broker's hands (`basic.ack`).
    Ack,
    /// A queue would not take it (`basic.nack`): it is full, say.
    Nack,
}
