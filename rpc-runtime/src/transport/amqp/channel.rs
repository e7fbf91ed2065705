//! Channels of lapin's, and what they consume.

use std::ops::Deref;

use lapin::{
    Channel, Connection,
    options::BasicConsumeOptions,
    types::{FieldTable, ShortString},
};
use tokio::{sync::oneshot, time::timeout};
use tokio_stream::StreamExt as _;
use tracing::debug;

use super::{CLOSE_WITHIN, error};
use crate::{error::BrokerError, tasks};

/// A channel that is closed when this is dropped.
///
/// lapin would close it too, but gives the whole connection up when the broker has just closed it for a reason of its own.
pub(super) struct OwnChannel {
    channel: Channel,
    /// Dropped with this, it tells who closes it.
    _in_use: oneshot::Sender<()>,
}

impl OwnChannel {
    pub(super) async fn open(connection: &Connection) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        let (in_use, unused) = oneshot::channel();
        let closed = channel.clone();
        tasks::spawn(async move {
            // An error says that it is unused.
            let _ = unused.await;
            let _ = timeout(CLOSE_WITHIN, closed.close(200, "goodbye".into())).await;
        });
        Ok(Self { channel, _in_use: in_use })
    }

    /// Starts to consume, and has it told when that ends: the queue was deleted, or the channel is gone. The messages come
    /// by another way.
    pub(super) async fn consume(
        &self,
        queue: ShortString,
        options: BasicConsumeOptions,
        ended: impl FnOnce(BrokerError) + Send + 'static,
    ) -> lapin::Result<ShortString> {
        let mut consumer = self
            .channel
            .basic_consume(queue, ShortString::default(), options, FieldTable::default())
            .await?;
        let tag = consumer.tag();
        tasks::spawn(async move {
            let mut reason = None;
            while let Some(news) = consumer.next().await {
                if let Err(error) = news {
                    debug!(%error, "stopped consuming");
                    reason.get_or_insert(error::lost(&error));
                }
            }
            ended(reason.unwrap_or_else(|| error::gone("the queue was deleted")));
        });
        Ok(tag)
    }
}

impl Deref for OwnChannel {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}
