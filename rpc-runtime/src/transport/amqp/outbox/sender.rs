//! The task of an outbox: sends replies, and settles their requests when the broker has dealt with the replies.

use std::{collections::VecDeque, future::pending, mem, sync::Arc, time::Duration};

use rpc_amqp::Error;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    super::{driver::Driver, proven::Proven},
    Item, MOST,
    load::Load,
    reply_channel::{Opener, ReplyChannel},
};
use crate::{limits, tasks::BoxFuture};

/// A method whose response shows that the broker has dealt with everything that was sent before it, and the number of sent
/// items that this covers.
struct Fence {
    answer: BoxFuture<'static, Result<(), Error>>,
    covers: usize,
}

/// Sends the replies of an outbox, in order.
pub(super) struct Sender<D: Driver> {
    pub(super) opener: Opener<D>,
    pub(super) proven: Arc<Proven>,
    pub(super) items: mpsc::UnboundedReceiver<Item>,
    pub(super) load: Arc<Load>,
    /// When the channel was opened last.
    pub(super) opened: Option<Instant>,
    /// The pause before the last channel was opened.
    pub(super) pause: Duration,
    /// Whether the last attempt to open a channel failed.
    pub(super) unreachable: bool,
}

enum Event {
    Answered(Result<(), Error>),
    Received(Option<Item>),
    Idle,
}

impl<D: Driver> Sender<D> {
    pub(super) fn new(
        opener: Opener<D>,
        proven: Arc<Proven>,
        items: mpsc::UnboundedReceiver<Item>,
        load: Arc<Load>,
    ) -> Self {
        let pause = Duration::ZERO;
        Self { opener, proven, items, load, opened: None, pause, unreachable: false }
    }

    /// Ends when the outbox is dropped and all its replies are dealt with.
    pub(super) async fn run(mut self) {
        let (mut open, mut fence) = (None::<ReplyChannel<D>>, None::<Fence>);
        let mut sent = VecDeque::new();
        let mut ended = false;
        while !(ended && sent.is_empty()) {
            let takes_more = !ended && sent.len() < MOST;
            let is_idle = self.opener.is_own_connection() && open.is_some() && fence.is_none();
            let event = tokio::select! {
                biased;
                answer = answered(&mut fence) => Event::Answered(answer),
                item = self.items.recv(), if takes_more => Event::Received(item),
                () = sleep(limits::DIRECT_IDLE), if is_idle => Event::Idle,
            };
            match event {
                Event::Answered(answer) => {
                    let covers = fence.take().map_or(0, |fence| fence.covers);
                    match (answer, &open) {
                        (Ok(()), Some(open)) => {
                            for item in sent.drain(..covers.min(sent.len())) {
                                self.done(item, open);
                            }
                        }
                        (Ok(()), None) => {}
                        (Err(why), _) => {
                            drop(open.take());
                            open = self.recover(&why, mem::take(&mut sent)).await;
                        }
                    }
                }
                Event::Received(None) => ended = true,
                Event::Received(Some(item)) => {
                    let Some(item) = self.checked(item) else { continue };
                    if open.is_none() {
                        // No reply is in flight.
                        open = self.one_by_one([item].into()).await;
                        continue;
                    }
                    if let (Item::Reply(reply), Some(open)) = (&item, &open) {
                        open.publish(reply);
                    }
                    sent.push_back(item);
                }
                Event::Idle => open = None,
            }
            // A flush at the front has no reply before it any more.
            while let Some(Item::Flush(_)) = sent.front() {
                sent.pop_front();
            }
            if let (None, Some(open), false) = (&fence, &open, sent.is_empty()) {
                fence = Some(Fence { answer: open.fence(), covers: sent.len() });
            }
        }
    }

    /// The broker has dealt with this item.
    pub(super) fn done(&self, item: Item, open: &ReplyChannel<D>) {
        let Item::Reply(mut reply) = item else { return };
        let returned = open.returned.take(reply.message.properties.correlation_id.as_ref());
        if returned {
            reply.count_undeliverable();
        }
        if !self.opener.is_own_connection() {
            let (queue, now) = (&*reply.message.routing_key, Instant::now());
            self.proven.accepted(reply.size(), now);
            if !returned {
                self.proven.accepted_by(queue, now);
            }
        }
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach("before-acknowledging");
        reply.settle();
    }

    /// Checks an item before it is sent. A reply that is too large is replaced; `None` if the reply is given up.
    pub(super) fn checked(&self, item: Item) -> Option<Item> {
        let Item::Reply(mut reply) = item else { return Some(item) };
        let size = reply.size();
        if self.proven.is_too_large(size) && !reply.replaced {
            let reason = format!("the broker does not accept messages of {size} bytes");
            reply.replace(&self.load.warned, &reason);
        }
        if !self.opener.is_own_connection() && self.proven.is_forbidden(Instant::now()) {
            reply.give_up(&self.load.warned, "the user may not publish replies");
            return None;
        }
        Some(Item::Reply(reply))
    }
}

async fn answered(fence: &mut Option<Fence>) -> Result<(), Error> {
    match fence {
        Some(fence) => fence.answer.as_mut().await,
        None => pending().await,
    }
}
