//! What can be known of a connection from outside.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, stream};
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

/// The changes of a [`BrokerStatus`], as a stream; made by [`Broker::status_changes`](crate::Broker::status_changes).
///
/// The first item is the status now, and each later one follows; it ends after [`Closed`](BrokerStatus::Closed), or when
/// the broker is gone. Whoever asks seldom sees the newest only.
pub struct StatusChanges(Pin<Box<dyn Stream<Item = BrokerStatus> + Send>>);

impl StatusChanges {
    pub(super) fn new(mut states: watch::Receiver<State>) -> Self {
        // The first one is the state as it is.
        states.mark_changed();
        Self(Box::pin(stream::unfold(Some(states), async |states| {
            let mut states = states?;
            states.changed().await.ok()?;
            let now = states.borrow_and_update().status();
            let last = matches!(now, BrokerStatus::Closed);
            Some((now, (!last).then_some(states)))
        })))
    }

    /// The next status; `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<BrokerStatus> {
        StreamExt::next(&mut self.0).await
    }
}

impl Stream for StatusChanges {
    type Item = BrokerStatus;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<BrokerStatus>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for StatusChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusChanges").finish_non_exhaustive()
    }
}
