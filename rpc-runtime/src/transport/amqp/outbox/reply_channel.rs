//! The channel of an outbox, and how it is opened.

use std::sync::{Arc, Mutex};

use rpc_amqp::{ChannelHandler, Error};
use tokio::time::timeout;

use super::{
    super::{
        driver::{Driver, DriverBatch, DriverChannel, DriverConnection, DriverWriter},
        error,
    },
    MOST,
    unconfirmed_reply::UnconfirmedReply,
};
use crate::{
    limits,
    lock::lock,
    message::{Id, Properties},
    tasks::BoxFuture,
};

/// Opens the channel of an outbox.
pub(super) enum Opener<D: Driver> {
    /// Opens a channel of the connection that requests are consumed on.
    Channel(D::Connection),
    /// Makes a separate connection first.
    Connection(Arc<D>),
}

/// Why no channel could be opened.
pub(super) enum NotOpened {
    /// All channels of the connection are in use.
    NoChannel,
    Failed(String),
}

impl<D: Driver> Opener<D> {
    pub(super) fn is_own_connection(&self) -> bool {
        matches!(self, Self::Connection(_))
    }

    pub(super) async fn open(&self) -> Result<ReplyChannel<D>, NotOpened> {
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
        Ok(ReplyChannel { channel, returned, own })
    }
}

/// An open channel for replies.
pub(super) struct ReplyChannel<D: Driver> {
    channel: D::Channel,
    pub(super) returned: Arc<Returned>,
    /// The separate connection, if there is one.
    own: Option<D::Connection>,
}

impl<D: Driver> ReplyChannel<D> {
    pub(super) fn publish(&self, reply: &UnconfirmedReply) {
        // If the channel has ended, the next fence fails.
        let _ = self.channel.writer().write(|out| out.publish(&reply.message));
    }

    /// Resolves when the broker has dealt with everything that was sent before.
    pub(super) fn fence(&self) -> BoxFuture<'static, Result<(), Error>> {
        if self.own.is_some() {
            self.channel.fence()
        } else {
            // Under an alarm the response may take hours. Sending the replies again meanwhile would only duplicate them. A
            // dead connection is detected by heartbeats.
            self.channel.fence_without_limit()
        }
    }
}

/// The replies that came back, until the broker has dealt with all that were sent with them.
#[derive(Default)]
pub(super) struct Returned(Mutex<Vec<Option<Id>>>);

impl ChannelHandler for Returned {
    fn returned(&self, properties: Properties) {
        let mut returned = lock(&self.0);
        if returned.len() < MOST {
            returned.push(properties.correlation_id);
        }
    }
}

impl Returned {
    /// Whether this one came back. All that came before it are forgotten.
    pub(super) fn take(&self, id: Option<&Id>) -> bool {
        let mut returned = lock(&self.0);
        let found = returned.iter().position(|known| known.as_ref() == id);
        if let Some(index) = found {
            returned.drain(..=index);
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_found_by_its_id() {
        let returned = Returned::default();
        for id in ["a", "b"] {
            let correlation_id = Some(Id::from(id));
            returned.returned(Properties { correlation_id, ..Properties::default() });
        }
        assert!(!returned.take(None));
        assert!(returned.take(Some(&Id::from("b"))));
        assert!(!returned.take(Some(&Id::from("a"))), "those before it are older");
    }
}
