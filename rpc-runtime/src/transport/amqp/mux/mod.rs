//! One socket, shared: lapin opens and closes what there is to open and close, and messages pass it by.
//!
//! lapin moves every frame to a thread of its own and back, and makes several promises for each message. For the few
//! frames that carry messages this takes its place: [`Pump`] owns the socket, hands lapin what is lapin's through a pipe,
//! and the rest to whoever registered for the channel. What is to go out is appended to one buffer, in order, and goes
//! out in as few writes as there can be. So an acknowledgement never overtakes its reply, a message that came back is
//! told before its confirmation, and lapin never reads what some peer wrote.

#[cfg(any(test, fuzzing))]
mod oracle;
mod outgoing;
mod pump;
mod router;
mod tags;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(fuzzing)]
pub(crate) use oracle::check;
pub(super) use outgoing::{Outgoing, Port};
pub(super) use pump::Pump;

use super::wire::Refusal;
use crate::transport::{Delivery, Properties};

/// What becomes of the messages of a channel. It is told while the socket waits: nothing here may block.
pub(super) trait Route: Send + Sync {
    /// A message for the consumer of the channel.
    fn delivered(&self, _: Delivery) {}

    /// A message that was published has come back.
    fn returned(&self, _: Properties) {}

    /// Messages that were published have been taken, or not: this one, or all up to it.
    fn confirmed(&self, _tag: u64, _multiple: bool, _accepted: bool) {}

    /// Nothing more comes, and nothing can be sent.
    fn ended(&self, _: Ended) {}
}

/// Why a channel ended.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The broker closed it.
    Refused(Refusal),
    /// It was closed by this side.
    Closed,
    /// The connection went.
    Lost,
}

/// The way to the socket of a connection.
pub(super) struct Mux {
    outgoing: Arc<Outgoing>,
    /// By channel.
    routes: Mutex<HashMap<u16, Arc<dyn Route>>>,
}

impl Mux {
    fn new() -> Arc<Self> {
        Arc::new(Self { outgoing: Outgoing::new(), routes: Mutex::default() })
    }

    fn routes(&self) -> MutexGuard<'_, HashMap<u16, Arc<dyn Route>>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way out for a channel that lapin has opened. Bodies go out in frames of at most this size.
    pub(super) fn port(&self, channel: u16, largest_frame: u32) -> Port {
        Port::new(self.outgoing.clone(), channel, largest_frame)
    }

    /// Has this told of the messages of a channel from now on.
    pub(super) fn route(&self, channel: u16, route: Arc<dyn Route>) {
        self.routes().insert(channel, route);
        // Whoever ends everything may have been here before.
        if self.outgoing.is_closed() {
            self.end(channel, Ended::Lost);
        }
    }

    fn routed(&self, channel: u16) -> Option<Arc<dyn Route>> {
        self.routes().get(&channel).cloned()
    }

    fn end(&self, channel: u16, why: Ended) {
        let route = self.routes().remove(&channel);
        if let Some(route) = route {
            route.ended(why);
        }
    }

    /// The socket is gone.
    fn end_all(&self) {
        self.outgoing.close();
        let routes: Vec<_> = self.routes().drain().collect();
        for (_, route) in routes {
            route.ended(Ended::Lost);
        }
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("channels", &self.routes().len()).finish_non_exhaustive()
    }
}
