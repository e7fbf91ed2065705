//! The writer of a channel: publishes at once. The channel's task settles the messages.

use std::{
    future::ready,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use bytes::Bytes;
use lapin::{Confirmation, options::BasicPublishOptions};
use rpc_amqp::{Error, NotSent};
use tokio::sync::{Notify, oneshot};

use super::{message, poll_once, table::short};
use crate::{
    lock::lock,
    message::Message,
    tasks::BoxFuture,
    transport::amqp::driver::{DriverBatch, DriverWriter},
};

/// A message that lapin has queued. Resolves when it is on the socket or, on a channel with confirms, when it is confirmed.
pub(super) type Published = BoxFuture<'static, lapin::Result<Confirmation>>;

/// A message on a channel with confirms, and its number.
pub(super) struct Numbered {
    number: u64,
    published: Published,
}

impl Future for Numbered {
    type Output = (u64, lapin::Result<Confirmation>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let number = self.number;
        self.published.as_mut().poll(cx).map(|confirmed| (number, confirmed))
    }
}

/// The work of a channel's task, in order.
pub(super) enum Item {
    /// A message on a channel without confirms.
    Published(Published),
    Confirmed(Numbered),
    /// Called when everything before is on the socket.
    Written(Box<dyn FnOnce() + Send>),
    Ack(u64),
    Reject {
        tag: u64,
        requeue: bool,
    },
    /// Resolved when the broker has handled everything before.
    Fence(oneshot::Sender<Result<(), Error>>),
    /// Closes the channel after everything before, except messages with confirms that lapin has queued. The sender is dropped
    /// when the channel is closed.
    Close(#[allow(dead_code, reason = "dropped, not read")] Option<oneshot::Sender<()>>),
}

/// Sends messages and acknowledgements on one channel, and never waits.
pub(crate) struct LapinWriter {
    channel: Arc<lapin::Channel>,
    outgoing: Mutex<Outgoing>,
    /// Notified when the channel's task has work.
    filled: Notify,
}

#[derive(Default)]
struct Outgoing {
    items: Vec<Item>,
    /// Set when nothing more may be sent.
    ended: bool,
    confirms: bool,
    /// The number of messages published with confirms.
    published: u64,
}

impl LapinWriter {
    pub(super) fn new(channel: Arc<lapin::Channel>) -> Self {
        Self { channel, outgoing: Mutex::default(), filled: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        lock(&self.outgoing)
    }

    /// Marks the channel as one with confirms.
    pub(super) fn confirm(&self) {
        self.lock().confirms = true;
    }

    /// Passes an item to the channel's task, unless the channel has ended.
    pub(super) fn push(&self, item: Item) -> Result<(), NotSent> {
        let mut outgoing = self.lock();
        if outgoing.ended {
            return Err(NotSent);
        }
        // Nothing may follow a close.
        outgoing.ended = matches!(item, Item::Close(_));
        outgoing.items.push(item);
        drop(outgoing);
        self.filled.notify_one();
        Ok(())
    }

    pub(super) fn is_connected(&self) -> bool {
        self.channel.status().connected()
    }

    /// Wakes the channel's task.
    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Resolves when there may be new items.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    pub(super) fn take(&self) -> Vec<Item> {
        mem::take(&mut self.lock().items)
    }

    /// Accepts nothing more, and returns the items that are left.
    pub(super) fn end(&self) -> Vec<Item> {
        let mut outgoing = self.lock();
        outgoing.ended = true;
        mem::take(&mut outgoing.items)
    }
}

impl DriverWriter for LapinWriter {
    type Batch<'a> = LapinBatch<'a>;

    fn write<T>(&self, write: impl FnOnce(&mut LapinBatch<'_>) -> T) -> Result<T, NotSent> {
        // Held while publishing, because lapin confuses the confirmations of messages that two threads publish at once.
        let mut outgoing = self.lock();
        if outgoing.ended {
            return Err(NotSent);
        }
        if !self.is_connected() {
            // The channel's task may not have noticed the end.
            self.wake();
            return Err(NotSent);
        }
        let mut batch = LapinBatch { channel: &self.channel, outgoing: &mut outgoing };
        let written = write(&mut batch);
        drop(outgoing);
        self.filled.notify_one();
        Ok(written)
    }
}

/// Frames of one channel that are sent together.
pub(crate) struct LapinBatch<'a> {
    channel: &'a Arc<lapin::Channel>,
    outgoing: &'a mut Outgoing,
}

impl DriverBatch for LapinBatch<'_> {
    fn publish(&mut self, message: &Message) {
        let mut published = publishing(self.channel.clone(), message);
        if let Poll::Ready(failed) = poll_once(published.as_mut()) {
            published = Box::pin(ready(failed));
        }
        self.outgoing.items.push(if self.outgoing.confirms {
            self.outgoing.published += 1;
            Item::Confirmed(Numbered { number: self.outgoing.published, published })
        } else {
            Item::Published(published)
        });
    }

    fn when_written(&mut self, run: impl FnOnce() + Send + 'static) {
        self.outgoing.items.push(Item::Written(Box::new(run)));
    }

    fn ack(&mut self, tag: u64) {
        self.outgoing.items.push(Item::Ack(tag));
    }

    fn reject(&mut self, tag: u64, requeue: bool) {
        self.outgoing.items.push(Item::Reject { tag, requeue });
    }
}

/// Publishes a message when it is first polled.
fn publishing(channel: Arc<lapin::Channel>, message: &Message) -> Published {
    let (exchange, routing_key) =
        (short(message.exchange.as_str()), short(message.routing_key.as_str()));
    let options = BasicPublishOptions { mandatory: message.mandatory, immediate: false };
    let properties = message::to_lapin(&message.properties);
    let body: Bytes = message.body.clone();
    Box::pin(async move {
        let published = channel.basic_publish(exchange, routing_key, options, &body, properties);
        let confirmation = published.await?;
        // lapin has copied the body.
        drop(body);
        confirmation.await
    })
}
