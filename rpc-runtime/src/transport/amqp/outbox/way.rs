//! Where the replies of an outbox go out: a channel, or a connection of its own.

use std::sync::Arc;

use tokio::time::timeout;

use super::{
    super::{
        Dialer,
        channel::Channel,
        error,
        mux::{Ended, Mux},
        wire::{Answer, Command},
    },
    kept::Kept,
    returned::Returned,
};
use crate::{limits, tasks::BoxFuture};

/// What an outbox opens to send its replies.
pub(super) enum Way {
    /// A channel of the connection that requests are consumed on.
    Channel(Arc<Mux>),
    /// A connection of its own.
    Connection(Arc<Dialer>),
}

/// A connection that is closed when this is dropped.
pub(in super::super) struct ClosedOnDrop(pub(in super::super) Arc<Mux>);

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        self.0.say_goodbye();
    }
}

/// Why there is no way out.
pub(super) enum NotOpened {
    /// All channels of the connection are in use.
    NoChannel,
    Failed(String),
}

impl Way {
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Connection(_))
    }

    pub(super) async fn open(&self) -> Result<Open, NotOpened> {
        let (mux, connection) = match self {
            Self::Channel(mux) => (mux.clone(), None),
            Self::Connection(dialer) => {
                let dial = timeout(limits::CONNECT_ATTEMPT, dialer.dial_for_direct_replies());
                let Ok(connected) = dial.await else {
                    let reason = "no connection for direct reply-to in time";
                    return Err(NotOpened::Failed(reason.to_owned()));
                };
                let mux = connected.map_err(|error| NotOpened::Failed(error.to_string()))?;
                (mux.clone(), Some(ClosedOnDrop(mux)))
            }
        };
        let channel = Channel::open(&mux).await.map_err(|why| match why {
            Ended::NoChannel(_) => NotOpened::NoChannel,
            why => {
                let error = error::during("opening a channel for replies", why);
                NotOpened::Failed(error.to_string())
            }
        })?;
        let returned = Arc::<Returned>::default();
        channel.route(returned.clone());
        Ok(Open { channel, returned, connection })
    }
}

/// An open channel for replies.
pub(super) struct Open {
    channel: Channel,
    pub(super) returned: Arc<Returned>,
    /// Held for as long as the channel.
    connection: Option<ClosedOnDrop>,
}

impl Open {
    pub(super) fn publish(&self, kept: &Kept) {
        // If the channel has ended, the next fence fails.
        let _ = self.channel.port().send(|out| out.publish(&kept.reply));
    }

    /// Resolves when the broker has dealt with everything so far. RabbitMQ takes the messages of a channel in order, and to
    /// set the prefetch of a channel without a consumer changes nothing.
    pub(super) fn fence(&self) -> BoxFuture<'static, Result<Answer, Ended>> {
        let fence = Command::Prefetch(0);
        if self.connection.is_some() {
            Box::pin(self.channel.ask(&fence))
        } else {
            // Under an alarm the answer may take hours. To send the replies again meanwhile would only double them. A
            // connection that is dead is found by its heartbeat.
            Box::pin(self.channel.ask_patiently(&fence))
        }
    }
}
