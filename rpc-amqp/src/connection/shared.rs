//! The part of a connection that its channels and its I/O task share.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use super::{channels::Channels, outgoing::Outgoing};
use crate::{
    Blocked, Error,
    protocol::{Command, Tuning},
};

/// Locks are taken in one order: the channels before the outgoing frames.
pub(crate) struct Shared {
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) channels: Mutex<Channels>,
    blocked: watch::Sender<Blocked>,
    ended: watch::Sender<Option<Error>>,
}

impl Shared {
    pub(crate) fn new(tuning: Tuning) -> Arc<Self> {
        let outgoing = Outgoing::new(tuning.frame_max);
        Arc::new(Self {
            channels: Mutex::new(Channels::new(tuning.channel_max)),
            outgoing,
            blocked: watch::Sender::default(),
            ended: watch::Sender::default(),
        })
    }

    /// Whether the broker takes messages.
    pub(crate) fn blocked(&self) -> &watch::Sender<Blocked> {
        &self.blocked
    }

    /// Why the connection ended, once that is so.
    pub(crate) fn ended(&self) -> watch::Receiver<Option<Error>> {
        self.ended.subscribe()
    }

    /// No other lock is held here: a writer that waits for this one keeps readers out.
    pub(super) fn alive(&self) -> Result<(), Error> {
        let ended = self.ended.borrow().clone();
        ended.map_or(Ok(()), Err)
    }

    /// Closes the connection, after everything that is still to go out.
    pub(super) fn close(&self) {
        self.outgoing.send_last(&Command::CloseConnection);
    }

    /// The socket is gone.
    pub(super) fn end(&self, why: &Error) {
        self.ended.send_replace(Some(why.clone()));
        self.outgoing.close();
        self.end_channels(why);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("channels", &self.channels().len()).finish_non_exhaustive()
    }
}
