//! What became of the requests on a channel: confirmed, returned, rejected, refused.

use std::sync::Arc;

use lapin::{Channel, Confirmation, message::BasicReturnMessage};
use tokio::{sync::Notify, time::Instant};
use tracing::debug;
use uuid::Uuid;

use super::{
    backlog::Held,
    error,
    publishing::{LOOK_FOR_RETURNS_FOR, Outbox, Published},
    refusal,
};
use crate::{
    error::BrokerError,
    transport::{CallerSink, Fate},
};

/// A request that was published and is not settled yet.
pub(super) struct Sent {
    pub(super) correlation_id: Uuid,
    pub(super) routing_key: String,
    pub(super) size: usize,
    pub(super) published: Published,
    pub(super) _held: Held,
}

/// Tells what became of requests, for as long as their channel lives.
pub(super) struct Settle {
    outbox: Arc<Outbox<Sent>>,
    channel: Arc<Channel>,
    sink: Arc<dyn CallerSink>,
    rejected: Arc<Notify>,
}

impl Settle {
    pub(super) fn new(
        outbox: Arc<Outbox<Sent>>,
        channel: Arc<Channel>,
        sink: Arc<dyn CallerSink>,
        rejected: Arc<Notify>,
    ) -> Self {
        Self { outbox, channel, sink, rejected }
    }

    /// Collects the confirmations, in the order of the requests.
    pub(super) async fn confirmed(self) -> BrokerError {
        loop {
            let mut batch = self.outbox.take().await.into_iter();
            while let Some(mut sent) = batch.next() {
                let confirmed = match sent.published.as_mut().await {
                    Ok(confirm) => confirm.await,
                    Err(error) => Err(error),
                };
                let returned = match confirmed {
                    Ok(Confirmation::Ack(returned)) => {
                        // Told before the acceptance, in case it is the same request.
                        if let Some(returned) = &returned {
                            settle_returned(returned, &*self.sink);
                        }
                        self.sink.settled(sent.correlation_id, Fate::Accepted);
                        continue;
                    }
                    Ok(Confirmation::Nack(returned)) => {
                        self.sink.settled(sent.correlation_id, Fate::Rejected);
                        self.rejected.notify_one();
                        returned
                    }
                    Ok(Confirmation::NotRequested) => {
                        self.sink.settled(sent.correlation_id, Fate::Accepted);
                        None
                    }
                    Err(error) => {
                        let open = [sent].into_iter().chain(batch).chain(self.outbox.close());
                        refusal::settle(&error, &open.collect::<Vec<_>>(), &*self.sink);
                        return error::lost(&error);
                    }
                };
                if let Some(returned) = returned {
                    settle_returned(&returned, &*self.sink);
                }
            }
            if let Some(reason) = self.ended() {
                return reason;
            }
        }
    }

    /// Without confirmations: a request is accepted once it is on the socket, and those that came back lie in a list
    /// that nobody announces.
    pub(super) async fn unconfirmed(self) -> BrokerError {
        let mut look_until = Instant::now();
        loop {
            let batch = self.outbox.take_or_look(look_until).await;
            if !batch.is_empty() {
                look_until = Instant::now() + LOOK_FOR_RETURNS_FOR;
            }
            for sent in batch {
                match sent.published.await {
                    Ok(_) => self.sink.settled(sent.correlation_id, Fate::Accepted),
                    Err(error) => {
                        self.outbox.close();
                        return error::lost(&error);
                    }
                }
            }
            for returned in self.channel.wait_for_confirms().await.unwrap_or_default() {
                settle_returned(&returned, &*self.sink);
            }
            if let Some(reason) = self.ended() {
                return reason;
            }
        }
    }

    /// Why nothing more can come of this channel, if so. What is still open is of unknown outcome.
    fn ended(&self) -> Option<BrokerError> {
        if self.channel.status().connected() {
            return None;
        }
        self.outbox.close();
        Some(error::gone("the channel for calls was closed"))
    }
}

/// lapin hands a returned message to whichever confirmation is next, so only the message itself says whose it is.
fn settle_returned(returned: &BasicReturnMessage, sink: &dyn CallerSink) {
    let correlation_id = returned.properties.correlation_id().as_ref();
    if let Some(id) = correlation_id.and_then(|id| Uuid::try_parse(id.as_str()).ok()) {
        sink.settled(id, Fate::Unroutable);
    } else {
        debug!("a message came back that is no request");
    }
}
