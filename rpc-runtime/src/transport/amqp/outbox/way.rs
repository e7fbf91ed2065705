//! Where the replies of an outbox go out: a channel, or a connection of its own.

use std::sync::Arc;

use rpc_amqp::Error;
use tokio::time::timeout;

use super::{
    super::{
        driver::{Driver, DriverBatch, DriverChannel, DriverConnection, DriverWriter},
        error,
    },
    kept::Kept,
    returned::Returned,
};
use crate::{limits, tasks::BoxFuture};

/// What an outbox opens to send its replies.
pub(super) enum Way<D: Driver> {
    /// A channel of the connection that requests are consumed on.
    Channel(D::Connection),
    /// A connection of its own.
    Connection(Arc<D>),
}

/// Why there is no way out.
pub(super) enum NotOpened {
    /// All channels of the connection are in use.
    NoChannel,
    Failed(String),
}

impl<D: Driver> Way<D> {
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Connection(_))
    }

    pub(super) async fn open(&self) -> Result<Open<D>, NotOpened> {
        let (connection, own) = match self {
            Self::Channel(connection) => (connection.clone(), None),
            Self::Connection(driver) => {
                let dial = timeout(limits::CONNECT_ATTEMPT, driver.dial_for_direct_replies());
                let Ok(connected) = dial.await else {
                    let reason = "no connection for direct reply-to in time";
                    return Err(NotOpened::Failed(reason.to_owned()));
                };
                let connection = connected.map_err(|error| NotOpened::Failed(error.to_string()))?;
                (connection.clone(), Some(connection))
            }
        };
        let channel = connection.open_channel().await.map_err(|why| match why {
            Error::NoChannel(_) => NotOpened::NoChannel,
            why => {
                let error = error::during("opening a channel for replies", why);
                NotOpened::Failed(error.to_string())
            }
        })?;
        let returned = Arc::<Returned>::default();
        channel.set_handler(returned.clone());
        Ok(Open { channel, returned, own })
    }
}

/// An open channel for replies.
pub(super) struct Open<D: Driver> {
    channel: D::Channel,
    pub(super) returned: Arc<Returned>,
    /// The connection, where it is of no other use: it is closed with this.
    own: Option<D::Connection>,
}

impl<D: Driver> Open<D> {
    pub(super) fn publish(&self, kept: &Kept) {
        // If the channel has ended, the next fence fails.
        let _ = self.channel.writer().write(|out| out.publish(&kept.reply));
    }

    /// Resolves when the broker has dealt with everything so far.
    pub(super) fn fence(&self) -> BoxFuture<'static, Result<(), Error>> {
        if self.own.is_some() {
            self.channel.fence()
        } else {
            // Under an alarm the answer may take hours. To send the replies again meanwhile would only double them. A
            // connection that is dead is found by its heartbeat.
            self.channel.fence_without_limit()
        }
    }
}
