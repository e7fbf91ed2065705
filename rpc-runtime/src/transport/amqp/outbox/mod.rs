//! Sends replies that the broker may refuse, so that a refusal affects nothing else.
//!
//! RabbitMQ closes the channel of a message that it refuses. It closes the whole connection for a reply to a direct reply-to
//! address that it cannot decode. On the channel that consumes requests, either would requeue every unacknowledged request,
//! and their methods would run again, without end. So such replies are sent on a separate channel, or on a separate
//! connection, and stored until the broker has dealt with them. If the broker closes the channel, they are sent again, one
//! at a time, and only a reply that closes it again is given up.
//!
//! A request is acknowledged when the broker has dealt with its reply, or when the reply was given up. While the connection
//! for direct reply-to is in trouble, requests are acknowledged before their replies are sent.

mod load;
mod one_by_one;
mod refused;
mod reply_channel;
mod sender;
mod unconfirmed_reply;

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

pub(super) use self::unconfirmed_reply::{UnconfirmedReply, Unsettled};
use self::{load::Load, reply_channel::Opener, sender::Sender};
use super::{driver::Driver, proven::Proven};
use crate::tasks;

/// How many replies may be sent before the broker has dealt with the first of them.
const MOST: usize = 1024;

/// The two outboxes of a connection, for replies that are not sent on the channel of their request.
pub(super) struct Outboxes {
    /// For replies that the broker may refuse.
    pub(super) careful: Outbox,
    pub(super) direct: Outbox,
    pub(super) proven: Arc<Proven>,
}

impl Outboxes {
    /// `runtime` is the runtime of the connection. On another runtime, the tasks and their replies could end before the
    /// connection.
    pub(super) fn new<D: Driver>(
        connection: D::Connection,
        driver: Arc<D>,
        runtime: &Handle,
    ) -> Self {
        let proven = Arc::new(Proven::new(Instant::now()));
        Self {
            careful: Outbox::start(Opener::<D>::Channel(connection), proven.clone(), runtime),
            direct: Outbox::start(Opener::Connection(driver), proven.clone(), runtime),
            proven,
        }
    }

    /// Waits until the broker has dealt with all earlier replies.
    pub(super) async fn flush(&self, within: Duration) {
        let both = async { tokio::join!(self.careful.flush(), self.direct.flush()) };
        // After a timeout, unacknowledged requests are requeued when the channel closes.
        let _ = timeout(within, both).await;
    }
}

enum Item {
    Reply(Box<UnconfirmedReply>),
    /// Dropped when the broker has dealt with all earlier items. That wakes the receiver.
    Flush(#[allow(dead_code, reason = "dropped, not read")] oneshot::Sender<()>),
}

/// Passes replies to the task that sends them.
pub(super) struct Outbox {
    inbox: mpsc::UnboundedSender<Item>,
    load: Arc<Load>,
    direct: bool,
}

impl Outbox {
    fn start<D: Driver>(opener: Opener<D>, proven: Arc<Proven>, runtime: &Handle) -> Self {
        let (inbox, items) = mpsc::unbounded_channel();
        let load = Arc::<Load>::default();
        let direct = opener.is_own_connection();
        runtime.spawn(tasks::boxed(Sender::new(opener, proven, items, load.clone()).run()));
        Self { inbox, load, direct }
    }

    /// Sends a reply and settles its request.
    pub(super) fn send(&self, mut reply: Box<UnconfirmedReply>) {
        if self.direct {
            // Only this outbox needs a bound. The other never has more replies than there are unacknowledged requests.
            let Some(room) = self.load.room(reply.size()) else {
                let reason = "too many replies to direct reply-to are waiting";
                reply.give_up(&self.load.warned, reason);
                return;
            };
            reply.room = Some(room);
            if self.load.is_troubled() {
                // Others may have broken this connection, and that must not delay the acknowledgement.
                reply.settle();
            }
        }
        // The task only ends with the connection, and then the request is requeued.
        let _ = self.inbox.send(Item::Reply(reply));
    }

    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        let _ = self.inbox.send(Item::Flush(done));
        let _ = flushed.await;
    }
}

#[cfg(test)]
mod tests;
