//! What can be known of a connection from outside.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use super::connection::State;
use crate::error::BrokerError;

/// How the connection of a [`Broker`](crate::Broker) stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BrokerStatus {
    /// There is none, and attempts to make one go on.
    Connecting,
    /// It is up.
    Connected,
    /// It is up, and the broker takes no messages for the reason given: it is short of memory or of disk. Replies to what
    /// it has taken still arrive.
    Blocked(Arc<str>),
    /// The broker refuses it. Attempts go on, seldom, in case somebody mends it; unless
    /// [`max_attempts`](crate::BrokerBuilder::max_attempts) says otherwise.
    Refused(BrokerError),
    /// This program closed it.
    Closed,
}

impl fmt::Display for BrokerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting"),
            Self::Connected => f.write_str("connected"),
            Self::Blocked(reason) => write!(f, "blocked by the broker: {reason}"),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

/// The changes of a [`BrokerStatus`]; made by [`Broker::status_changes`](crate::Broker::status_changes).
#[derive(Debug)]
pub struct StatusChanges {
    states: watch::Receiver<State>,
    last: bool,
}

impl StatusChanges {
    pub(super) fn new(mut states: watch::Receiver<State>) -> Self {
        // The first one is the state as it is.
        states.mark_changed();
        Self { states, last: false }
    }

    /// The status now, when asked for the first time, and then each later one; `None` after
    /// [`Closed`](BrokerStatus::Closed), or when the broker is gone. Whoever asks seldom sees the newest only.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<BrokerStatus> {
        if self.last || self.states.changed().await.is_err() {
            return None;
        }
        let status = self.states.borrow_and_update().status();
        self.last = matches!(status, BrokerStatus::Closed);
        Some(status)
    }
}
