//! Replies that the broker may refuse, sent where a refusal hurts nothing else.
//!
//! RabbitMQ closes the channel of a message that it refuses, and ends the whole connection for a reply to an address of
//! direct reply-to that it cannot decode. On the channel that consumes requests, either would bring back every request that
//! is not acknowledged, and their methods would run again, without end. So such replies go out on a channel of their own, or
//! on a connection of their own, and are kept until the broker has dealt with them. If it ends the channel instead, they are
//! sent again, one at a time, and only the one that ends it again is given up.
//!
//! A request is acknowledged when the broker has dealt with its reply, or when that was given up. While the connection for
//! direct reply-to is in trouble, the requests of its replies are acknowledged at once.

mod kept;
mod load;
mod one_by_one;
mod refused;
mod returned;
mod sender;
mod way;

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

pub(super) use self::kept::{Kept, Unsettled};
use self::{
    load::{Load, Room},
    sender::Sender,
    way::Way,
};
use super::{driver::Driver, proven::Proven};
use crate::tasks;

/// How many replies may be on their way before the broker has dealt with the first of them.
const MOST: usize = 1024;

/// The two outboxes of a connection, for the replies that do not go out beside their requests.
pub(super) struct Outboxes {
    /// For replies that the broker may refuse.
    pub(super) careful: Outbox,
    /// For replies to direct reply-to.
    pub(super) direct: Outbox,
    pub(super) proven: Arc<Proven>,
}

impl Outboxes {
    /// `runtime` is that of the connection: on another, the tasks could end before it, and their replies with them.
    pub(super) fn new<D: Driver>(
        connection: D::Connection,
        driver: Arc<D>,
        runtime: &Handle,
    ) -> Self {
        let proven = Arc::new(Proven::new(Instant::now()));
        Self {
            careful: Outbox::start(Way::<D>::Channel(connection), proven.clone(), runtime),
            direct: Outbox::start(Way::Connection(driver), proven.clone(), runtime),
            proven,
        }
    }

    /// Waits until the broker has dealt with all replies so far.
    pub(super) async fn flush(&self, within: Duration) {
        let both = async { tokio::join!(self.careful.flush(), self.direct.flush()) };
        // After that, requests that are not acknowledged go back to their queue.
        let _ = timeout(within, both).await;
    }
}

enum Item {
    Reply(Box<Kept>),
    /// Dropped when the broker has dealt with everything before it. That ends the wait of the other side.
    Flush(#[allow(dead_code, reason = "dropped, not read")] oneshot::Sender<()>),
}

/// Takes replies over, for the task that sends them.
pub(super) struct Outbox {
    inbox: mpsc::UnboundedSender<Item>,
    load: Arc<Load>,
    direct: bool,
}

impl Outbox {
    fn start<D: Driver>(way: Way<D>, proven: Arc<Proven>, runtime: &Handle) -> Self {
        let (inbox, coming) = mpsc::unbounded_channel();
        let load = Arc::<Load>::default();
        let direct = way.is_own();
        runtime.spawn(tasks::boxed(Sender::new(way, proven, coming, load.clone()).run()));
        Self { inbox, load, direct }
    }

    /// Sends a reply and settles its request.
    pub(super) fn send(&self, mut kept: Box<Kept>) {
        if self.direct {
            // The other outbox never has more replies than there are requests that are not acknowledged.
            let Some(room) = Room::take(&self.load, kept.size()) else {
                let reason = "too many replies to direct reply-to are waiting";
                kept.give_up(&self.load.warned, reason);
                return;
            };
            kept.room = Some(room);
            if self.load.is_troubled() {
                // Requests are not held up by what others have done to this connection.
                kept.settle();
            }
        }
        // The task is gone only with the connection, and then the request goes back to its queue.
        let _ = self.inbox.send(Item::Reply(kept));
    }

    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        let _ = self.inbox.send(Item::Flush(done));
        let _ = flushed.await;
    }
}

#[cfg(test)]
mod tests;
