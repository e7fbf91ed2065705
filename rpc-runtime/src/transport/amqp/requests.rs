//! The requests on a channel, from their sending until the broker has said what became of them.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use smol_str::SmolStr;
use tokio::sync::{Notify, watch};
use tracing::debug;
use uuid::Uuid;

use super::{
    backlog::{Backlog, Held},
    error,
    mux::{Ended, Port, Route},
    refusal, set_once,
};
use crate::{
    error::BrokerError,
    message::{Id, Message, Properties},
    transport::{CallerSink, ChannelGone, Fate},
};

/// A request that was published and is not settled yet.
pub(super) struct Sent {
    pub(super) correlation_id: Uuid,
    pub(super) routing_key: SmolStr,
    pub(super) size: usize,
    _held: Held,
}

/// Publishes requests on a channel, and tells what becomes of them.
pub(super) struct Requests {
    port: Arc<Port>,
    open: Mutex<Open>,
    backlog: Arc<Backlog>,
    sink: Arc<dyn CallerSink>,
    /// The broker confirms what it has taken.
    confirms: bool,
    rejected: Notify,
    gone: watch::Sender<Option<BrokerError>>,
}

/// A queue with room for at most so many requests is used again.
const KEPT: usize = 1024;

/// What the broker has yet to confirm, in order; settled ones leave a gap.
#[derive(Default)]
struct Open {
    /// How many were published before the first of these.
    before: u64,
    sent: VecDeque<Option<Sent>>,
}

impl Open {
    /// Takes out what the broker speaks of: the one with this number, counted from 1, or all up to it.
    fn take(&mut self, tag: u64, multiple: bool) -> Vec<Sent> {
        let Some(count) = tag.checked_sub(self.before).and_then(|count| count.try_into().ok())
        else {
            return Vec::new();
        };
        let count = self.sent.len().min(count);
        let taken = if multiple {
            self.before += count as u64;
            self.sent.drain(..count).flatten().collect()
        } else {
            let one = count.checked_sub(1).and_then(|index| self.sent.get_mut(index)?.take());
            one.into_iter().collect()
        };
        while let Some(None) = self.sent.front() {
            self.sent.pop_front();
            self.before += 1;
        }
        if self.sent.is_empty() && self.sent.capacity() > KEPT {
            // It was that long for a burst.
            self.sent = VecDeque::new();
        }
        taken
    }
}

impl Requests {
    pub(super) fn new(
        port: Arc<Port>,
        backlog: Arc<Backlog>,
        sink: Arc<dyn CallerSink>,
        confirms: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            port,
            open: Mutex::default(),
            backlog,
            sink,
            confirms,
            rejected: Notify::new(),
            gone: watch::Sender::new(None),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(
        &self,
        correlation_id: Uuid,
        message: &Message,
    ) -> Result<(), ChannelGone> {
        let size = message.body.len();
        let held = self.backlog.hold(size);
        let published = self.port.send(|out| {
            if self.confirms {
                let routing_key = message.routing_key.clone();
                let sent = Sent { correlation_id, routing_key, size, _held: held };
                self.open().sent.push_back(Some(sent));
                out.publish(message);
            } else {
                out.publish(message);
                let sink = self.sink.clone();
                out.when_written(move || {
                    drop(held);
                    sink.settled(correlation_id, Fate::Accepted);
                });
            }
        });
        published.map_err(|_| ChannelGone)
    }

    /// Resolves with the next request that the broker would not take.
    pub(super) async fn rejected(&self) {
        self.rejected.notified().await;
    }

    /// Why nothing can be published any more, once that is so.
    pub(super) fn gone(&self) -> watch::Receiver<Option<BrokerError>> {
        self.gone.subscribe()
    }
}

impl Route for Requests {
    fn returned(&self, properties: Properties) {
        if let Some(Id::Uuid(id)) = properties.correlation_id {
            // Told before its confirmation comes.
            self.sink.settled(id, Fate::Unroutable);
        } else {
            debug!("a message came back that is no request");
        }
    }

    fn confirmed(&self, tag: u64, multiple: bool, accepted: bool) {
        let settled = self.open().take(tag, multiple);
        let fate = if accepted { Fate::Accepted } else { Fate::Rejected };
        for sent in settled {
            self.sink.settled(sent.correlation_id, fate.clone());
        }
        if !accepted {
            self.rejected.notify_one();
        }
    }

    fn ended(&self, why: Ended) {
        let open = mem::take(&mut *self.open());
        let open: Vec<Sent> = open.sent.into_iter().flatten().collect();
        if let Ended::Refused(refusal) = &why {
            refusal::settle(refusal, &open, &*self.sink);
        }
        set_once(&self.gone, error::ended(why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Blocked;

    fn open(count: u128) -> Open {
        let backlog = Backlog::new(watch::Sender::new(Blocked::default()));
        let sent = (1..=count).map(|id| {
            let correlation_id = Uuid::from_u128(id);
            Some(Sent { correlation_id, routing_key: "q".into(), size: 0, _held: backlog.hold(0) })
        });
        Open { before: 0, sent: sent.collect() }
    }

    fn taken(open: &mut Open, tag: u64, multiple: bool) -> Vec<u128> {
        open.take(tag, multiple).iter().map(|sent| sent.correlation_id.as_u128()).collect()
    }

    #[test]
    fn confirmations_find_their_requests_in_any_order_and_once() {
        let mut open = open(6);
        assert_eq!(taken(&mut open, 3, false), [3]);
        assert_eq!(taken(&mut open, 3, false), []);
        assert_eq!(taken(&mut open, 4, true), [1, 2, 4]);
        assert_eq!(taken(&mut open, 4, true), []);
        assert_eq!(taken(&mut open, 1, false), []);
        assert_eq!(taken(&mut open, 6, false), [6]);
        assert_eq!(taken(&mut open, u64::MAX, true), [5]);
        assert!(open.sent.is_empty());
        assert_eq!(taken(&mut open, 0, true), []);
    }
}
