#![allow(
    clippy::missing_errors_doc,
    reason = "documented at `Peer`: every method fails with pika's error"
)]

mod error;
mod message;
mod queue;
mod remote;

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use self::error::PeerError;
pub use self::message::{Message, typed};
pub use self::queue::{QueueInfo, QueueSpec};
use self::remote::Remote;

/// A raw AMQP peer: pika with its own connection and channel, controlled by the test.
///
/// Every method fails with pika's error. A channel closed by the broker is replaced at the next command; consumers and
/// confirms have to be requested again.
#[derive(Debug)]
pub struct Peer {
    remote: Mutex<Remote>,
}

/// The outcome of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Published {
    /// Written to the socket; the outcome is unknown without [`Peer::confirm`].
    Sent,
    /// The broker confirmed it.
    Confirmed,
    /// It was mandatory, and no queue accepted it.
    Returned,
    /// The broker refused it, for example for a full queue with `reject-publish`.
    Nacked,
}

type Result<T> = std::result::Result<T, PeerError>;

impl Peer {
    /// Connects.
    pub async fn connect(url: &str) -> Result<Self> {
        Ok(Self { remote: Mutex::new(Remote::connect(url).await?) })
    }

    /// Declares a queue, or checks that it exists if [passive](QueueSpec::passive).
    pub async fn declare(&self, queue: QueueSpec) -> Result<QueueInfo> {
        self.ask("declare", json!(queue)).await
    }

    /// The state of a queue.
    pub async fn queue(&self, name: &str) -> Result<QueueInfo> {
        self.declare(QueueSpec::named(name).passive()).await
    }

    /// Deletes a queue; returns how many messages it had.
    pub async fn delete(&self, queue: &str) -> Result<u32> {
        self.ask("delete", json!({ "queue": queue })).await
    }

    /// Empties a queue; returns how many messages it had.
    pub async fn purge(&self, queue: &str) -> Result<u32> {
        self.ask("purge", json!({ "queue": queue })).await
    }

    /// Declares an exchange of the kind `direct`, `fanout`, `topic` or `headers`.
    pub async fn declare_exchange(&self, name: &str, kind: &str, durable: bool) -> Result<()> {
        self.ask("declare_exchange", json!({ "name": name, "kind": kind, "durable": durable }))
            .await
    }

    /// Deletes an exchange.
    pub async fn delete_exchange(&self, name: &str) -> Result<()> {
        self.ask("delete_exchange", json!({ "name": name })).await
    }

    /// Binds a queue to an exchange.
    pub async fn bind(&self, queue: &str, exchange: &str, routing_key: &str) -> Result<()> {
        self.ask(
            "bind",
            json!({ "queue": queue, "exchange": exchange, "routing_key": routing_key }),
        )
        .await
    }

    /// Binds an exchange to another.
    pub async fn bind_exchange(
        &self,
        destination: &str,
        source: &str,
        routing_key: &str,
    ) -> Result<()> {
        let command =
            json!({ "destination": destination, "source": source, "routing_key": routing_key });
        self.ask("bind_exchange", command).await
    }

    /// From now on [`publish`](Self::publish) waits for the broker's confirmation.
    pub async fn confirm(&self) -> Result<()> {
        self.ask("confirm", json!({})).await
    }

    /// Publishes a message.
    pub async fn publish(&self, message: Message) -> Result<Published> {
        self.ask("publish", json!({ "message": message })).await
    }

    /// The next message that was returned as unroutable, published without confirms; `None` after the time.
    pub async fn returned(&self, patience: Duration) -> Result<Option<Message>> {
        self.ask("returned", json!({ "timeout": patience.as_secs_f64() })).await
    }

    /// Takes one message from a queue and acknowledges it, without a consumer; `None` after the time.
    pub async fn get(&self, queue: &str, patience: Duration) -> Result<Option<Message>> {
        let timeout = patience.as_secs_f64();
        self.ask("get", json!({ "queue": queue, "timeout": timeout, "auto_ack": true })).await
    }

    /// Takes one message, to be [acknowledged](Self::ack) or [rejected](Self::nack) later.
    pub async fn take(&self, queue: &str, patience: Duration) -> Result<Option<Message>> {
        let timeout = patience.as_secs_f64();
        self.ask("get", json!({ "queue": queue, "timeout": timeout, "auto_ack": false })).await
    }

    /// Consumes a queue, also `amq.rabbitmq.reply-to`, without acknowledgements; returns the consumer's tag for [`next`](Self::next).
    pub async fn consume(&self, queue: &str) -> Result<String> {
        self.consume_with(queue, true, 0, Value::Null).await
    }

    /// Consumes a queue; a prefetch of 0 means no limit.
    pub async fn consume_with(
        &self,
        queue: &str,
        auto_ack: bool,
        prefetch: u16,
        arguments: Value,
    ) -> Result<String> {
        let command = json!({
            "queue": queue, "auto_ack": auto_ack, "exclusive": false, "prefetch": prefetch, "arguments": arguments,
        });
        self.ask("consume", command).await
    }

    /// The next message for a consumer; `None` after the time.
    pub async fn next(&self, consumer: &str, patience: Duration) -> Result<Option<Message>> {
        self.ask("next", json!({ "consumer": consumer, "timeout": patience.as_secs_f64() })).await
    }

    /// Whether the broker cancels a consumer within the time (because its queue was deleted or its node ended).
    pub async fn cancelled(&self, consumer: &str, patience: Duration) -> Result<bool> {
        self.ask("cancelled", json!({ "consumer": consumer, "timeout": patience.as_secs_f64() }))
            .await
    }

    /// Ends a consumer.
    pub async fn cancel(&self, consumer: &str) -> Result<()> {
        self.ask("cancel", json!({ "consumer": consumer })).await
    }

    /// Acknowledges a delivery of [`take`](Self::take) or of a consumer.
    ///
    /// # Panics
    ///
    /// If the message was not received from the broker.
    pub async fn ack(&self, message: &Message) -> Result<()> {
        let tag = message.delivery_tag.expect("a message that was delivered has a tag");
        self.ask("ack", json!({ "delivery_tag": tag, "multiple": false })).await
    }

    /// Rejects a delivery, and requeues it or not.
    ///
    /// # Panics
    ///
    /// If the message was not received from the broker.
    pub async fn nack(&self, message: &Message, requeue: bool) -> Result<()> {
        let tag = message.delivery_tag.expect("a message that was delivered has a tag");
        self.ask("nack", json!({ "delivery_tag": tag, "requeue": requeue })).await
    }

    /// The broker's version.
    pub async fn server_version(&self) -> Result<String> {
        let properties: Value = self.ask("server", json!({})).await?;
        Ok(properties["version"].as_str().unwrap_or_default().to_owned())
    }

    /// Closes the channel; the next command opens another.
    pub async fn close_channel(&self) -> Result<()> {
        self.ask("close_channel", json!({})).await
    }

    /// Closes the connection. Dropping the peer cuts it.
    pub async fn close(self) -> Result<()> {
        self.ask("close", json!({})).await
    }

    async fn ask<T: DeserializeOwned>(&self, operation: &str, command: Value) -> Result<T> {
        let answer = self.remote.lock().await.ask(operation, command).await?;
        Ok(T::deserialize(&answer)
            .unwrap_or_else(|error| panic!("peer.py answers {operation} with {answer}: {error}")))
    }
}
