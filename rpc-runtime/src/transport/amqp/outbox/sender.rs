//! The task of an outbox: sends replies, and settles their requests as the broker gets on.

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
    way::{Open, Way},
};
use crate::{limits, tasks::BoxFuture};

/// The answer that is waited for, and how many of the items that were sent it covers.
struct Fence {
    answer: BoxFuture<'static, Result<(), Error>>,
    covers: usize,
}

/// Sends the replies of an outbox, in order.
pub(super) struct Sender<D: Driver> {
    pub(super) way: Way<D>,
    pub(super) proven: Arc<Proven>,
    pub(super) coming: mpsc::UnboundedReceiver<Item>,
    pub(super) load: Arc<Load>,
    /// When the channel was opened last, and the pause before the next if that one dies young.
    pub(super) opened: Option<Instant>,
    pub(super) pause: Duration,
    /// The last attempt to open failed.
    pub(super) unreachable: bool,
}

enum Event {
    Answered(Result<(), Error>),
    Came(Option<Item>),
    Idle,
}

impl<D: Driver> Sender<D> {
    pub(super) fn new(
        way: Way<D>,
        proven: Arc<Proven>,
        coming: mpsc::UnboundedReceiver<Item>,
        load: Arc<Load>,
    ) -> Self {
        let pause = Duration::ZERO;
        Self { way, proven, coming, load, opened: None, pause, unreachable: false }
    }

    /// Ends when the outbox is dropped and all its replies are dealt with.
    pub(super) async fn run(mut self) {
        let (mut open, mut fence) = (None::<Open<D>>, None::<Fence>);
        let mut sent = VecDeque::new();
        let mut ended = false;
        while !(ended && sent.is_empty()) {
            let takes_more = !ended && sent.len() < MOST;
            let is_idle = self.way.is_own() && open.is_some() && fence.is_none();
            let event = tokio::select! {
                biased;
                answer = answered(&mut fence) => Event::Answered(answer),
                item = self.coming.recv(), if takes_more => Event::Came(item),
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
                            open = self.recover(&why, covers, mem::take(&mut sent)).await;
                        }
                    }
                }
                Event::Came(None) => ended = true,
                Event::Came(Some(item)) => {
                    let Some(item) = self.examined(item) else { continue };
                    if open.is_none() {
                        // Nothing is on its way.
                        open = self.one_by_one([item].into()).await;
                        continue;
                    }
                    if let (Item::Reply(kept), Some(open)) = (&item, &open) {
                        open.publish(kept);
                    }
                    sent.push_back(item);
                }
                Event::Idle => open = None,
            }
            // Nothing is before it any more.
            while let Some(Item::Flush(_)) = sent.front() {
                sent.pop_front();
            }
            if let (None, Some(open), false) = (&fence, &open, sent.is_empty()) {
                fence = Some(Fence { answer: open.fence(), covers: sent.len() });
            }
        }
    }

    /// The broker has dealt with this.
    pub(super) fn done(&self, item: Item, open: &Open<D>) {
        let Item::Reply(mut kept) = item else { return };
        let returned = open.returned.take(kept.reply.properties.correlation_id.as_ref());
        if returned {
            kept.count_undeliverable();
        }
        if !self.way.is_own() {
            let (queue, now) = (&*kept.reply.routing_key, Instant::now());
            self.proven.accepted(kept.size(), now);
            if !returned {
                self.proven.taken_by(queue, now);
            }
        }
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach("before-acknowledging");
        kept.settle();
    }

    /// What is sent in the place of this; `None` for a reply that would be refused.
    pub(super) fn examined(&self, item: Item) -> Option<Item> {
        let Item::Reply(mut kept) = item else { return Some(item) };
        let size = kept.size();
        if self.proven.is_too_large(size) && !kept.replaced {
            let reason = format!("the broker does not take messages of {size} bytes");
            kept.replace(&self.load.warned, &reason);
        }
        if !self.way.is_own() && self.proven.is_forbidden(Instant::now()) {
            kept.give_up(&self.load.warned, "the user may not publish replies");
            return None;
        }
        Some(Item::Reply(kept))
    }
}

async fn answered(fence: &mut Option<Fence>) -> Result<(), Error> {
    match fence {
        Some(fence) => fence.answer.as_mut().await,
        None => pending().await,
    }
}
