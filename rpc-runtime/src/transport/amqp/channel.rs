//! A channel, and what is asked of the broker on it.

use std::{io, sync::Arc};

use smol_str::SmolStr;
use tokio::time::timeout;

use super::{
    mux::{Ended, Mux, Port, Route},
    wire::{Answer, Command},
};
use crate::limits;

/// A channel that is closed when this is dropped.
pub(super) struct Channel {
    mux: Arc<Mux>,
    port: Arc<Port>,
}

impl Channel {
    pub(super) async fn open(mux: &Arc<Mux>) -> Result<Self, Ended> {
        let channel = Self { mux: mux.clone(), port: mux.reserve()? };
        channel.ask(&Command::OpenChannel).await?;
        Ok(channel)
    }

    /// The way out.
    pub(super) fn port(&self) -> Arc<Port> {
        self.port.clone()
    }

    /// Has this told of the messages of the channel from now on.
    pub(super) fn route(&self, route: Arc<dyn Route>) {
        self.mux.route(&self.port, route);
    }

    /// Asks something of the broker, at once, and waits for the answer, for a while. What it refuses ends the channel.
    pub(super) fn ask(
        &self,
        command: &Command<'_>,
    ) -> impl Future<Output = Result<Answer, Ended>> + Send + use<> {
        let (answer, mux) = (self.mux.ask(&self.port, command), self.mux.clone());
        async move {
            match timeout(limits::ANSWER_WITHIN, answer?).await {
                Ok(answered) => answered.unwrap_or(Err(Ended::Closed)),
                Err(_) => Err(unanswered(&mux)),
            }
        }
    }

    /// Asks something of the broker, and waits for the answer for as long as the connection lives.
    pub(super) fn ask_patiently(
        &self,
        command: &Command<'_>,
    ) -> impl Future<Output = Result<Answer, Ended>> + Send + use<> {
        let answer = self.mux.ask(&self.port, command);
        async move { answer?.await.unwrap_or(Err(Ended::Closed)) }
    }

    /// Starts to consume, and returns what the consumer is called.
    pub(super) async fn consume(&self, queue: &str, acknowledged: bool) -> Result<SmolStr, Ended> {
        match self.ask(&Command::Consume { queue, acknowledged }).await? {
            Answer::Consumer(name) => Ok(name),
            _ => Err(Ended::out_of_turn()),
        }
    }

    /// Closes it, and returns when the broker has agreed.
    pub(super) async fn close(&self) {
        if let Some(answer) = self.mux.close(&self.port) {
            // Whatever ends it, it is closed.
            let _ = answer.await;
        }
    }
}

/// A broker that lives and does not answer. Under an alarm, RabbitMQ reads nothing of a connection that publishes.
fn unanswered(mux: &Mux) -> Ended {
    let within = limits::ANSWER_WITHIN;
    let message = match mux.blocked().borrow().reason() {
        Some(reason) => {
            format!("the broker did not answer within {within:?}; it takes no messages: {reason:?}")
        }
        None => format!("the broker did not answer within {within:?}, though the connection lives"),
    };
    Ended::Lost(Arc::new(io::Error::new(io::ErrorKind::TimedOut, message)))
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.mux.close(&self.port);
    }
}
