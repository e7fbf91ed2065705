//! Answers discovery questions as long as the server lives, on one connection after another.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::instance::Instance;
use crate::{
    codec::{Encoding, encode_json},
    connection::{Supervisor, pauses},
    discovery::{self, Question},
    error::{BrokerError, BrokerErrorKind},
    escape::Escaped,
    limits,
    message::Message,
    reply::Reply,
    throttle::Throttle,
    transport::{Connection, ListenerOptions, OpenWorker, QueueState},
    wire::{self, ReturnAddress},
};

/// What a user who may serve also needs for discovery.
const REMEDY: &str = "the server serves its calls all the same; to let it be found, give its user the rights to configure, \
                      write and read `rpc.discovery` and queues that begin with `amq.gen-`, or switch discovery off with \
                      `ServerBuilder::discovery`";

/// Listens for questions, and answers them one at a time.
pub(super) struct Responder {
    supervisor: Supervisor,
    instance: Arc<Instance>,
    keys: Vec<String>,
    /// Throttles log lines about a wrong `reply_to`.
    warned: Throttle,
}

/// A connection, and the listener on it.
type Listening = (Arc<dyn Connection>, Result<OpenWorker, BrokerError>);

impl Responder {
    pub(super) fn new(supervisor: Supervisor, instance: Arc<Instance>) -> Self {
        let keys = discovery::keys(&instance.id, instance.services());
        Self { supervisor, instance, keys, warned: Throttle::default() }
    }

    /// Starts to listen. It fails only if there is no connection and there never will be.
    pub(super) async fn open(&self) -> Result<Listening, BrokerError> {
        let connection = self.supervisor.connection().await?;
        let options = ListenerOptions {
            exchange: wire::DISCOVERY_EXCHANGE.to_owned(),
            keys: self.keys.clone(),
            prefetch: 1,
            max_length: limits::MAX_QUESTIONS,
            undeliverable: Arc::default(),
        };
        let opened = connection.open_listener(options).await;
        Ok((connection, opened))
    }

    /// Answers until the broker is closed.
    pub(super) async fn serve(self, first: Option<Listening>) {
        let (mut next, mut waits) = (first.map(Ok), pauses());
        loop {
            let listening = match next.take() {
                Some(listening) => listening,
                None => self.open().await,
            };
            let pause = match listening {
                Ok((connection, Ok(opened))) => {
                    let since = Instant::now();
                    self.answer_all(&connection, opened).await;
                    debug!(instance = &*self.instance.id, "no longer listens to questions");
                    if since.elapsed() > limits::STABLE_AFTER {
                        waits = pauses();
                    }
                    waits.next().unwrap_or(limits::LONGEST_PAUSE)
                }
                Ok((connection, Err(error))) if error.is_permanent() => {
                    warn!(error = %error.whole(), "cannot be asked about itself: {REMEDY}");
                    let closed = connection.closed();
                    // Holding it would keep the connection open.
                    drop(connection);
                    closed.await;
                    Duration::ZERO
                }
                Err(error) if error.kind() == BrokerErrorKind::Closed => return,
                Ok((_, Err(error))) | Err(error) => {
                    debug!(%error, "cannot be asked about itself yet");
                    waits.next().unwrap_or(limits::LONGEST_PAUSE)
                }
            };
            sleep(pause).await;
        }
    }

    async fn answer_all(
        &self,
        connection: &Arc<dyn Connection>,
        (channel, mut questions): OpenWorker,
    ) {
        while let Some(question) = questions.next().await {
            let tag = question.tag;
            let reply = match asked(&question, &self.keys, &self.warned) {
                Some((address, question)) => {
                    let answer = self.answer(question, &**connection).await;
                    answer.map(|body| {
                        let answer = Reply::Result { body, encoding: Encoding::Json };
                        wire::write_reply(&address, answer)
                    })
                }
                None => None,
            };
            channel.finish(tag, reply);
        }
    }

    async fn answer(&self, question: Question, connection: &dyn Connection) -> Option<Bytes> {
        match question {
            Question::Ping => encode(&self.instance.ping()),
            Question::Info => {
                let info = self.instance.info();
                match encode(&info) {
                    // The asker would drop an answer of this size.
                    Some(body) if body.len() > limits::MAX_ANSWER => {
                        encode(&info.without_schemas())
                    }
                    body => body,
                }
            }
            Question::Stats => {
                let depths = self.depths(connection).await;
                encode(&self.instance.stats(&depths))
            }
        }
    }

    /// The state of each queue, if the broker reports it in time.
    async fn depths(&self, connection: &dyn Connection) -> Vec<Option<QueueState>> {
        let deadline = Instant::now() + limits::QUEUE_STATE_WITHIN;
        let mut depths = Vec::new();
        for queue in self.instance.queues() {
            let left = deadline.saturating_duration_since(Instant::now());
            let state = timeout(left, connection.queue_state(queue)).await;
            depths.push(state.ok().and_then(Result::ok).flatten());
        }
        depths
    }
}

/// The return address and the question. `None` if the question is not for this server, if it expired in a queue and
/// was moved back, or if its `reply_to` is no callback queue.
fn asked(
    message: &Message,
    keys: &[String],
    warned: &Throttle,
) -> Option<(ReturnAddress, Question)> {
    let address = ReturnAddress::of(&message.properties, Encoding::Json)?;
    if message.properties.has_expired() {
        return None;
    }
    if !address.is_server_named() {
        if let Some(left_out) = warned.pass() {
            let reply_to = Escaped::new(address.queue());
            warn!(%reply_to, left_out, "did not answer a question: its reply_to is no callback queue");
        }
        return None;
    }
    Some((address, Question::from_routing_key(&message.routing_key, keys)?))
}

fn encode<T: Serialize>(answer: &T) -> Option<Bytes> {
    let encoded = encode_json(answer);
    encoded.inspect_err(|error| warn!(%error, "an answer cannot be written")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{DEATHS, HeaderValue, Properties};

    #[test]
    fn only_valid_questions_are_answered() {
        let keys = discovery::keys("an-instance", std::iter::empty());
        let asks = |reply_to: Option<&str>, expired: Option<bool>| {
            let deaths = |expired| HeaderValue::Deaths { size: 9, depth: 2, expired };
            let properties = Properties {
                reply_to: reply_to.map(Into::into),
                headers: expired
                    .map(|expired| (DEATHS.into(), deaths(expired)))
                    .into_iter()
                    .collect(),
                ..Properties::default()
            };
            let message = Message { routing_key: "ping".into(), properties, ..Message::default() };
            asked(&message, &keys, &Throttle::default()).is_some()
        };
        assert!(asks(Some("amq.gen-x"), None));
        assert!(asks(Some("amq.gen-x"), Some(false)));
        assert!(!asks(Some("amq.gen-x"), Some(true)), "it expired");
        assert!(!asks(Some("somebody-elses"), None));
        assert!(!asks(None, None));
    }
}
