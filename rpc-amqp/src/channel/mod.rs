//! A channel: requests to the broker, each with its answer.

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

/// A channel. It is closed when this is dropped, after everything that was sent on it.
///
/// Each method that waits for the broker's answer fails after 30 seconds without one. What the broker refuses ends the channel.
/// Messages are sent with its [writer](Self::writer).
pub struct Channel {
    shared: Arc<Shared>,
    writer: Arc<ChannelWriter>,
}

/// A queue that was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredQueue {
    /// Its name, which the broker may have made up.
    pub name: SmolStr,
    /// How many messages wait in it, without those that were delivered and not acknowledged.
    pub messages: u32,
    /// How many consumers it has.
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

    /// Hands the messages of the channel to this handler from now on. Set it before you consume or publish. Where the channel has
    /// ended already, the handler learns that at once.
    pub fn set_handler(&self, handler: Arc<dyn ChannelHandler>) {
        self.shared.set_handler(&self.writer, handler);
    }

    /// Has published messages confirmed from now on.
    ///
    /// # Errors
    ///
    /// The channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn confirm_select(&self) -> Result<(), Error> {
        self.ask(&Command::Confirm).await.map(drop)
    }

    /// Declares an exchange, or looks for one.
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn declare_exchange(
        &self,
        declaration: ExchangeDeclaration<'_>,
    ) -> Result<(), Error> {
        self.ask(&Command::DeclareExchange(declaration)).await.map(drop)
    }

    /// Declares a queue, or looks for one.
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
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
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn bind_queue(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
    ) -> Result<(), Error> {
        self.ask(&Command::Bind { queue, exchange, routing_key }).await.map(drop)
    }

    /// Sets how many messages the broker delivers before the first of them is acknowledged. 0: any number.
    ///
    /// # Errors
    ///
    /// The channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn set_prefetch(&self, count: u16) -> Result<(), Error> {
        self.ask(&Command::Prefetch(count)).await.map(drop)
    }

    /// Starts to consume a queue, and returns the broker's name for the consumer. `acknowledged`: each message is acknowledged
    /// by [`Batch::ack`].
    ///
    /// # Errors
    ///
    /// The broker refuses it, and the channel has ended.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn consume(&self, queue: &str, acknowledged: bool) -> Result<SmolStr, Error> {
        match self.ask(&Command::Consume { queue, acknowledged }).await? {
            Answer::Consumer(name) => Ok(name),
            _ => Err(Error::out_of_turn()),
        }
    }

    /// Ends a consumer. Messages that came before the broker's answer were handed over.
    ///
    /// # Errors
    ///
    /// The channel has ended, and its consumers with it.
    ///
    /// # Cancel safety
    ///
    /// The first poll sends the method. Dropping the future drops the answer alone.
    pub async fn cancel(&self, consumer: &str) -> Result<(), Error> {
        self.ask(&Command::Cancel { consumer }).await.map(drop)
    }

    /// Resolves when the broker has processed everything that was sent on the channel so far. RabbitMQ takes the methods of a
    /// channel in order, and setting the prefetch of a channel without a consumer changes nothing: so use it on such a channel.
    ///
    /// The method is sent at once, and not when the future is polled.
    ///
    /// # Errors
    ///
    /// The channel has ended: the broker may have refused one of the messages.
    pub fn fence(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let answer = self.ask(&Command::Prefetch(0));
        async move { answer.await.map(drop) }
    }

    /// The same without a limit of time: under an alarm the answer may take hours.
    ///
    /// # Errors
    ///
    /// The channel has ended: the broker may have refused one of the messages.
    pub fn fence_without_limit(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let answer = self.shared.ask(&self.writer, &Command::Prefetch(0));
        async move { answer?.await.unwrap_or(Err(Error::Closed)).map(drop) }
    }

    /// Closes it, and returns when the broker has agreed.
    ///
    /// # Cancel safety
    ///
    /// The first poll closes it. Dropping the future drops the wait alone.
    pub async fn close(&self) {
        if let Some(answer) = self.shared.close_channel(&self.writer) {
            // Whatever ends it, it is closed.
            let _ = answer.await;
        }
    }

    /// Sends a method at once, and waits for its answer for a while.
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

/// The broker lives and does not answer. Under an alarm, RabbitMQ reads nothing from a connection that publishes.
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
