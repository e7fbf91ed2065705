//! The requests on a channel, from their sending until the broker has said what became of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    message::{Id, Message, Properties},
    transport::{CallerSink, ChannelGone, PublishOutcome},
};

/// A request that was published and is not settled yet.
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

/// Publishes requests on a channel, and tells what becomes of them.
pub(super) struct Requests<W> {
    writer: Arc<W>,
    /// Those that the broker has yet to confirm.
    open: Mutex<Unconfirmed<Sent>>,
    window: Arc<SendWindow>,
    sink: Arc<dyn CallerSink>,
    /// The broker confirms what it has taken.
    confirms: bool,
    rejected: Notify,
    gone: watch::Sender<Option<BrokerError>>,
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
            open: Mutex::default(),
            window,
            sink,
            confirms,
            rejected: Notify::new(),
            gone: watch::Sender::new(None),
        })
    }

    fn open(&self) -> MutexGuard<'_, Unconfirmed<Sent>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.open().push(Sent::new(correlation_id, routing_key, size, held));
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

    /// Resolves with the next request that the broker would not take.
    pub(super) async fn rejected(&self) {
        self.rejected.notified().await;
    }

    /// Why nothing can be published any more, once that is so.
    pub(super) fn gone(&self) -> watch::Receiver<Option<BrokerError>> {
        self.gone.subscribe()
    }
}

impl<W: DriverWriter> ChannelHandler for Requests<W> {
    fn returned(&self, properties: Properties) {
        if let Some(Id::Uuid(id)) = properties.correlation_id {
            // Told before its confirmation comes.
            self.sink.settled(id, PublishOutcome::Unroutable);
        } else {
            debug!("a message came back that is no request");
        }
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        let settled = self.open().confirm(number, multiple);
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
        let open = self.open().take();
        if let Error::ChannelClosed(reason) = &why {
            refusal::settle(reason, &open, &*self.sink);
        }
        set_once(&self.gone, error::ended(why));
    }
}
