//! A channel: methods sent to the broker, and their replies.

mod handler;
mod writer;

use std::{fmt, io, sync::Arc};

use smol_str::SmolStr;
use tokio::time::timeout;

pub use handler::{ChannelHandler, Confirmation};
pub use writer::{Batch, ChannelWriter, NotSent};

use crate::{
    Error, ExchangeDeclaration, QueueDeclaration,
    connection::Shared,
    limits,
    protocol::{Answer, Command},
};

/// A channel. Dropping it closes it, after everything that was sent on it.
///
/// Each method that waits for the broker's reply fails after 30 seconds. The broker closes the channel if it refuses a
/// method. Use the [writer](Self::writer) to send messages.
pub struct Channel {
    shared: Arc<Shared>,
    writer: Arc<ChannelWriter>,
}

/// A queue that was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredQueue {
    /// Its name, which the broker may have chosen.
    pub name: SmolStr,
    /// The number of ready messages, without unacknowledged ones.
    pub messages: u32,
    /// The number of its consumers.
    pub consumers: u32,
}

impl Channel {
    pub(crate) async fn open(shared: &Arc<Shared>) -> Result<Self, Error> {
        let channel = Self { shared: shared.clone(), writer: shared.reserve()? };
        channel.ask(&Command::OpenChannel).await?;
        Ok(channel)
    }

    /// Sends messages and acknowledgements on the channel.
    pub fn writer(&self) -> &Arc<ChannelWriter> {
        &self.writer
    }

    /// Sets the handler of the channel's messages. Set it before you consume or publish. If the channel has already
    /// ended, the handler is called at once with the reason.
    pub fn set_handler(&self, handler: Arc<dyn ChannelHandler>) {
        self.shared.set_handler(&self.writer, handler);
    }

    /// Turns on publisher confirms.
    ///
    /// # Errors
    ///
    /// The channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn confirm_select(&self) -> Result<(), Error> {
        self.ask(&Command::Confirm).await.map(drop)
    }

    /// Declares an exchange, or checks that it exists.
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn declare_exchange(
        &self,
        declaration: ExchangeDeclaration<'_>,
    ) -> Result<(), Error> {
        self.ask(&Command::DeclareExchange(declaration)).await.map(drop)
    }

    /// Declares a queue, or checks that it exists.
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn declare_queue(
        &self,
        declaration: QueueDeclaration<'_>,
    ) -> Result<DeclaredQueue, Error> {
        match self.ask(&Command::DeclareQueue(declaration)).await? {
            Answer::Queue { name, messages, consumers } => {
                Ok(DeclaredQueue { name, messages, consumers })
            }
            _ => Err(Error::out_of_turn()),
        }
    }

    /// Binds a queue to an exchange.
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn bind_queue(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
    ) -> Result<(), Error> {
        self.ask(&Command::Bind { queue, exchange, routing_key }).await.map(drop)
    }

    /// Limits the number of unacknowledged deliveries. 0 means no limit.
    ///
    /// # Errors
    ///
    /// The channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn set_prefetch(&self, count: u16) -> Result<(), Error> {
        self.ask(&Command::Prefetch(count)).await.map(drop)
    }

    /// Starts a consumer on a queue, and returns the broker's name for the consumer. With `acknowledged`, acknowledge
    /// each message with [`Batch::ack`].
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn consume(&self, queue: &str, acknowledged: bool) -> Result<SmolStr, Error> {
        match self.ask(&Command::Consume { queue, acknowledged }).await? {
            Answer::Consumer(name) => Ok(name),
            _ => Err(Error::out_of_turn()),
        }
    }

    /// Cancels a consumer. The handler has received all its messages when this returns.
    ///
    /// # Errors
    ///
    /// The channel has ended, and its consumers with it.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future only discards the reply.
    pub async fn cancel(&self, consumer: &str) -> Result<(), Error> {
        self.ask(&Command::Cancel { consumer }).await.map(drop)
    }

    /// Resolves when the broker has processed everything that was sent on the channel so far. It sets the prefetch to
    /// no limit: RabbitMQ handles the methods of a channel in order, so the reply comes last. Use it on a channel
    /// without a consumer, where the prefetch has no effect.
    ///
    /// The method is sent at once, before the future is polled.
    ///
    /// # Errors
    ///
    /// The channel has ended. The broker may have refused one of the messages.
    pub fn fence(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let answer = self.ask(&Command::Prefetch(0));
        async move { answer.await.map(drop) }
    }

    /// Like [`fence`](Self::fence), without a timeout. During a resource alarm the reply may take hours.
    ///
    /// # Errors
    ///
    /// The channel has ended. The broker may have refused one of the messages.
    pub fn fence_without_limit(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let answer = self.shared.ask(&self.writer, &Command::Prefetch(0));
        async move { answer?.await.unwrap_or(Err(Error::Closed)).map(drop) }
    }

    /// Closes the channel, and waits until the broker has confirmed it.
    ///
    /// # Cancel safety
    ///
    /// The first poll closes it. Dropping the future only stops the wait.
    pub async fn close(&self) {
        if let Some(answer) = self.shared.close_channel(&self.writer) {
            // The channel ends in every case, even if the reply is an error.
            let _ = answer.await;
        }
    }

    /// Sends a method at once, and waits for its reply until a timeout.
    fn ask(
        &self,
        command: &Command<'_>,
    ) -> impl Future<Output = Result<Answer, Error>> + Send + use<> {
        let (answer, shared) = (self.shared.ask(&self.writer, command), self.shared.clone());
        async move {
            match timeout(limits::ANSWER_WITHIN, answer?).await {
                Ok(answered) => answered.unwrap_or(Err(Error::Closed)),
                Err(_) => Err(unanswered(&shared)),
            }
        }
    }
}

/// The broker is alive and does not reply. During a resource alarm, RabbitMQ does not read from connections that
/// publish.
fn unanswered(shared: &Shared) -> Error {
    let within = limits::ANSWER_WITHIN;
    let message = match shared.blocked().borrow().reason() {
        Some(reason) => {
            format!("the broker did not answer within {within:?}; it takes no messages: {reason:?}")
        }
        None => format!("the broker did not answer within {within:?}, though the connection lives"),
    };
    Error::Lost(Arc::new(io::Error::new(io::ErrorKind::TimedOut, message)))
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.shared.close_channel(&self.writer);
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("number", &self.writer.channel()).finish_non_exhaustive()
    }
}
