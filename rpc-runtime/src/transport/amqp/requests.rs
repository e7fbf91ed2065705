//! The requests on a channel, from publishing to their outcome.

use std::sync::{Arc, Mutex};

use rpc_amqp::{ChannelHandler, Confirmation, Error, Held, SendWindow, Unconfirmed};
use smol_str::SmolStr;
use tokio::sync::{Notify, watch};
use tracing::debug;
use uuid::Uuid;

use super::{
    driver::{DriverBatch, DriverWriter},
    error, refusal, set_once,
};
use crate::{
    error::BrokerError,
    lock::lock,
    message::{Id, Message, Properties},
    transport::{CallerSink, ChannelGone, PublishOutcome},
};

/// A request that was published, and has no outcome yet.
pub(super) struct Sent {
    pub(super) correlation_id: Uuid,
    pub(super) routing_key: SmolStr,
    pub(super) size: usize,
    _held: Held,
}

impl Sent {
    pub(super) fn new(correlation_id: Uuid, routing_key: SmolStr, size: usize, held: Held) -> Self {
        Self { correlation_id, routing_key, size, _held: held }
    }
}

/// Publishes requests on a channel, and reports their outcomes.
pub(super) struct Requests<W> {
    writer: Arc<W>,
    /// Requests that the broker has not confirmed yet.
    unconfirmed: Mutex<Unconfirmed<Sent>>,
    window: Arc<SendWindow>,
    sink: Arc<dyn CallerSink>,
    /// Whether the broker confirms requests.
    confirms: bool,
    rejected: Notify,
    closed: watch::Sender<Option<BrokerError>>,
}

impl<W: DriverWriter> Requests<W> {
    pub(super) fn new(
        writer: Arc<W>,
        window: Arc<SendWindow>,
        sink: Arc<dyn CallerSink>,
        confirms: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            writer,
            unconfirmed: Mutex::default(),
            window,
            sink,
            confirms,
            rejected: Notify::new(),
            closed: watch::Sender::new(None),
        })
    }

    pub(super) fn publish(
        &self,
        correlation_id: Uuid,
        message: &Message,
    ) -> Result<(), ChannelGone> {
        let size = message.body.len();
        let held = self.window.hold(size);
        let published = self.writer.write(|out| {
            if self.confirms {
                let routing_key = message.routing_key.clone();
                lock(&self.unconfirmed).push(Sent::new(correlation_id, routing_key, size, held));
                out.publish(message);
            } else {
                out.publish(message);
                let sink = self.sink.clone();
                out.when_written(move || {
                    drop(held);
                    sink.settled(correlation_id, PublishOutcome::Accepted);
                });
            }
        });
        published.map_err(|_| ChannelGone)
    }

    /// Resolves when the broker rejects a request.
    pub(super) async fn rejected(&self) {
        self.rejected.notified().await;
    }

    /// Why the channel has ended; `None` until then.
    pub(super) fn close_reason(&self) -> watch::Receiver<Option<BrokerError>> {
        self.closed.subscribe()
    }
}

impl<W: DriverWriter> ChannelHandler for Requests<W> {
    fn returned(&self, properties: Properties) {
        if let Some(Id::Uuid(id)) = properties.correlation_id {
            // RabbitMQ returns a request before it confirms it.
            self.sink.settled(id, PublishOutcome::Unroutable);
        } else {
            debug!("the broker returned a message that is not a request");
        }
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        let settled = lock(&self.unconfirmed).confirm(number, multiple);
        let accepted = confirmation == Confirmation::Ack;
        let outcome = if accepted { PublishOutcome::Accepted } else { PublishOutcome::Rejected };
        for sent in settled {
            self.sink.settled(sent.correlation_id, outcome.clone());
        }
        if !accepted {
            self.rejected.notify_one();
        }
    }

    fn closed(&self, why: Error) {
        let unconfirmed = lock(&self.unconfirmed).take();
        if let Error::ChannelClosed(reason) = &why {
            refusal::settle(reason, &unconfirmed, &*self.sink);
        }
        set_once(&self.closed, error::ended(why));
    }
}
