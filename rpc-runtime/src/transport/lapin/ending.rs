//! The end of a channel: passes on what arrived before it, and then reports the reason.

use std::{io, time::Duration};

use rpc_amqp::Error;
use tokio::time::timeout;

use super::{
    channel::ChannelState,
    confirms::Settled,
    connection::News,
    error,
    settling::{Settling, Then},
    writer::Item,
};

/// How long to wait for the last deliveries of a consumer after its channel has ended.
const CONSUMER_WITHIN: Duration = Duration::from_secs(1);

/// How long to wait for the end of the connection, if a channel has ended without a reason.
const NOTICED_WITHIN: Duration = Duration::from_millis(100);

impl Settling {
    /// Ends the channel. `closed` is set if this program closed it.
    pub(super) async fn end(mut self, closed: Option<Then>) {
        let left: Vec<Item> = self.waiting.drain(..).chain(self.writer.end()).collect();
        let mut fences = Vec::new();
        for item in left {
            match item {
                Item::Confirmed(message) => self.confirms.push(message),
                Item::Fence(answer) => fences.push(answer),
                _ => {}
            }
        }
        // Deliver what has arrived before reporting the end.
        let _ = timeout(CONSUMER_WITHIN, self.state.consuming.ended()).await;
        let settled = self.confirms.settled_now(Settled::default());
        self.settle(settled);
        let settled = self.confirms.settled_now(Settled::default());
        self.settle(settled);
        self.collect_returned();
        let why = if closed.is_some() { Error::Closed } else { why(&self.state, &self.news).await };
        let current = self.front.take().and_then(|front| match front.then {
            Then::Answer(answer) => Some(answer),
            _ => None,
        });
        for answer in current.into_iter().chain(fences) {
            let _ = answer.send(Err(why.clone()));
        }
        self.state.end(why);
        drop(closed);
    }
}

impl Drop for Settling {
    /// The task may be dropped because its runtime ended.
    fn drop(&mut self) {
        self.writer.end();
        self.state.end(error::lost(io::ErrorKind::NotConnected, "its runtime has ended"));
    }
}

/// Why a channel has ended.
async fn why(state: &ChannelState, news: &News) -> Error {
    if let Some(why) = state.cause().filter(|why| matches!(why, Error::ChannelClosed(_))) {
        return why;
    }
    // The channels of a connection that ends may notice it before the connection's own task.
    let ended = timeout(NOTICED_WITHIN, news.when_ended()).await.ok();
    let known = ended.or_else(|| state.cause()).or_else(|| news.refusal());
    known.unwrap_or_else(|| error::lost(io::ErrorKind::NotConnected, "the channel has ended"))
}
