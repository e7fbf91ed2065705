//! The channel of an outbox, and how it is opened.

use std::sync::Arc;

use rpc_amqp::{Channel, Connection, Error};
use tokio::time::timeout;

use super::{
    super::{Dialer, error},
    returned::Returned,
    unconfirmed_reply::UnconfirmedReply,
};
use crate::{limits, tasks::BoxFuture};

/// Opens the channel of an outbox.
pub(super) enum Opener {
    /// Opens a channel of the connection that requests are consumed on.
    Channel(Connection),
    /// Makes a separate connection first.
    Connection(Arc<Dialer>),
}

/// Why no channel could be opened.
pub(super) enum NotOpened {
    /// All channels of the connection are in use.
    NoChannel,
    Failed(String),
}

impl Opener {
    pub(super) fn is_own_connection(&self) -> bool {
        matches!(self, Self::Connection(_))
    }

    pub(super) async fn open(&self) -> Result<ReplyChannel, NotOpened> {
        let (connection, own) = match self {
            Self::Channel(connection) => (connection.clone(), None),
            Self::Connection(dialer) => {
                let dial = timeout(limits::CONNECT_ATTEMPT, dialer.dial_for_direct_replies());
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
        Ok(ReplyChannel { channel, returned, own })
    }
}

/// An open channel for replies.
pub(super) struct ReplyChannel {
    channel: Channel,
    pub(super) returned: Arc<Returned>,
    /// The separate connection, if there is one.
    own: Option<Connection>,
}

impl ReplyChannel {
    pub(super) fn publish(&self, reply: &UnconfirmedReply) {
        // If the channel has ended, the next fence fails.
        let _ = self.channel.writer().write(|out| out.publish(&reply.message));
    }

    /// Resolves when the broker has dealt with everything that was sent before.
    pub(super) fn fence(&self) -> BoxFuture<'static, Result<(), Error>> {
        if self.own.is_some() {
            Box::pin(self.channel.fence())
        } else {
            // Under an alarm the response may take hours. Sending the replies again meanwhile would only duplicate them. A
            // dead connection is detected by heartbeats.
            Box::pin(self.channel.fence_without_limit())
        }
    }
}
