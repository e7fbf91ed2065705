//! The status of a connection, as users see it.

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

/// The status of a [`Broker`](crate::Broker)'s connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BrokerStatus {
    /// There is no connection, and attempts to make one continue.
    Connecting,
    /// The connection is up.
    Connected,
    /// The connection is up, but the broker accepts no messages, for the given reason: for example, it is short of memory or
    /// of disk space. Replies to requests that it has accepted still arrive.
    Blocked(Arc<str>),
    /// The broker refuses the connection. Attempts continue with long pauses, in case the cause is fixed, unless
    /// [`max_attempts`](crate::BrokerBuilder::max_attempts) ends them.
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

/// A stream of the changes of a [`BrokerStatus`]; made by [`Broker::status_changes`](crate::Broker::status_changes).
///
/// The first item is the current status, and an item follows for each change. The stream ends after
/// [`Closed`](BrokerStatus::Closed), or when the broker is dropped. A slow reader misses changes in between and gets the
/// newest status.
pub struct StatusChanges {
    /// The next status, and the receiver for the statuses after it; `None` after the last.
    next: Option<BoxFuture<'static, Option<Changed>>>,
}

type Changed = (BrokerStatus, watch::Receiver<State>);

impl StatusChanges {
    pub(super) fn new(mut states: watch::Receiver<State>) -> Self {
        // The first item is the current state.
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

/// `None` if the broker was dropped.
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
