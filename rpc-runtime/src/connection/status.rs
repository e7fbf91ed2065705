//! What can be known of a connection from outside.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::sync::watch;

use super::State;
use crate::{
    causes::opaque_debug,
    error::BrokerError,
    escape::Escaped,
    tasks::{BoxFuture, boxed},
};

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
            Self::Blocked(reason) => {
                write!(f, "blocked by the broker: {}", Escaped::new(reason))
            }
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

/// The changes of a [`BrokerStatus`], as a stream; made by [`Broker::status_changes`](crate::Broker::status_changes).
///
/// The first item is the status now, and each later one follows; it ends after [`Closed`](BrokerStatus::Closed), or when
/// the broker is gone. Whoever asks seldom sees the newest only.
pub struct StatusChanges {
    /// The next status, with what tells of those after it; `None` after the last.
    next: Option<BoxFuture<'static, Option<Changed>>>,
}

type Changed = (BrokerStatus, watch::Receiver<State>);

impl StatusChanges {
    pub(super) fn new(mut states: watch::Receiver<State>) -> Self {
        // The first one is the state as it is.
        states.mark_changed();
        Self { next: Some(boxed(change(states))) }
    }

    /// The next status; `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<BrokerStatus> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

/// `None` where the broker is gone.
async fn change(mut states: watch::Receiver<State>) -> Option<Changed> {
    states.changed().await.ok()?;
    let now = states.borrow_and_update().status();
    Some((now, states))
}

impl Stream for StatusChanges {
    type Item = BrokerStatus;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<BrokerStatus>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let changed = ready!(next.as_mut().poll(cx));
        self.next = None;
        Poll::Ready(changed.map(|(now, states)| {
            if !matches!(now, BrokerStatus::Closed) {
                self.next = Some(boxed(change(states)));
            }
            now
        }))
    }
}

opaque_debug!(StatusChanges);
