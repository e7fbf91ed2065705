//! Consuming a queue. The messages come by another way; lapin only knows when they stop.

use futures_util::StreamExt;
use lapin::{
    Channel,
    options::BasicConsumeOptions,
    types::{FieldTable, ShortString},
};
use tokio::task::JoinSet;
use tracing::debug;

use super::error;
use crate::error::BrokerError;

/// A consumer, which is cancelled when this is dropped.
pub(super) struct Consuming {
    pub(super) tag: ShortString,
    /// Dropped with this, it stops.
    _watcher: JoinSet<()>,
}

/// Starts to consume, and has it told when that ends: the queue was deleted, or the channel is gone.
pub(super) async fn consume(
    channel: &Channel,
    queue: ShortString,
    options: BasicConsumeOptions,
    ended: impl FnOnce(BrokerError) + Send + 'static,
) -> lapin::Result<Consuming> {
    let mut consumer = channel
        .basic_consume(queue, ShortString::default(), options, FieldTable::default())
        .await?;
    let tag = consumer.tag();
    let mut watcher = JoinSet::new();
    watcher.spawn(async move {
        let mut reason = None;
        while let Some(news) = consumer.next().await {
            if let Err(error) = news {
                debug!(%error, "stopped consuming");
                reason.get_or_insert(error::lost(&error));
            }
        }
        ended(reason.unwrap_or_else(|| error::gone("the queue was deleted")));
    });
    Ok(Consuming { tag, _watcher: watcher })
}
