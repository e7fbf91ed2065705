//! Putting a question to servers, and reading what they answer.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::debug;
use uuid::Uuid;

use super::{
    InstanceInfo, InstancePing, InstanceStats,
    collect::{self, Enough},
    wire::{self, Addressee, EXCHANGE, Question},
};
use crate::{
    broker::Broker,
    codec::{self, Encoding},
    error::{BrokerError, BrokerErrorKind},
    limits,
    transport::{CallerOptions, Message},
};

/// Asks servers about themselves: all of them, or those that its methods choose.
///
/// Nothing is kept between two questions. Each opens a callback queue, which is gone when the answers are there.
///
/// ```
/// use std::time::Duration;
///
/// use rpc_runtime::{Broker, discovery::Discovery};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
/// let broker = Broker::in_memory();
/// let servers = Discovery::new(&broker)
///     .service("Fibonacci")
///     .timeout(Duration::from_millis(500))
///     .ping()
///     .await?;
/// assert!(servers.is_empty(), "nobody serves it here");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Discovery {
    broker: Broker,
    addressee: Addressee,
    timeout: Duration,
    quiet: Duration,
    at_most: usize,
}

impl Discovery {
    /// Asks every server of this broker's virtual host.
    pub fn new(broker: &Broker) -> Self {
        Self {
            broker: broker.clone(),
            addressee: Addressee::Everybody,
            timeout: limits::DISCOVERY_TIMEOUT,
            quiet: limits::DISCOVERY_QUIET,
            at_most: limits::MAX_ANSWERS,
        }
    }

    /// Asks those that serve this service.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.addressee = Addressee::Service(name.into());
        self
    }

    /// Asks one server, by what it calls [itself](crate::Server::instance).
    pub fn instance(mut self, id: impl Into<String>) -> Self {
        self.addressee = Addressee::Instance(id.into());
        self.at_most = 1;
        self
    }

    /// How long to wait for answers, from the question on; by default 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how long no further answer has to come for the question to end before its time; by default 250 ms. A server
    /// that is slower than all others by more than that is missed.
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Ends with so many answers; by default, and at most, 1,000.
    pub fn at_most(mut self, answers: usize) -> Self {
        self.at_most = answers.min(limits::MAX_ANSWERS);
        self
    }

    /// Which servers are there.
    ///
    /// # Errors
    ///
    /// There is no connection within the time, or this user may not ask. That nobody answers is no error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the answers.
    pub async fn ping(&self) -> Result<Vec<InstancePing>, BrokerError> {
        let timed = |(ping, round_trip)| InstancePing { round_trip, ..ping };
        Ok(self.ask(Question::Ping).await?.into_iter().map(timed).collect())
    }

    /// What they serve.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// # Cancel safety
    ///
    /// As [`ping`](Self::ping).
    pub async fn info(&self) -> Result<Vec<InstanceInfo>, BrokerError> {
        Ok(self.ask(Question::Info).await?.into_iter().map(|(info, _)| info).collect())
    }

    /// How they fare.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// use rpc_runtime::discovery::Discovery;
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let broker = Broker::in_memory();
    /// # let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
    /// ClockClient::new(&broker).year().await?;
    ///
    /// let servers = Discovery::new(&broker).service("Clock").at_most(1).stats().await?;
    /// let clock = &servers[0].services[0];
    /// assert_eq!((clock.methods[0].name.as_str(), clock.methods[0].calls), ("year", 1));
    /// assert_eq!(clock.depth, Some(0), "nothing waits");
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    ///
    /// # Cancel safety
    ///
    /// As [`ping`](Self::ping).
    pub async fn stats(&self) -> Result<Vec<InstanceStats>, BrokerError> {
        Ok(self.ask(Question::Stats).await?.into_iter().map(|(stats, _)| stats).collect())
    }

    /// What each server answered that was asked, with the time it took.
    async fn ask<T: Answer>(&self, question: Question) -> Result<Vec<(T, Duration)>, BrokerError> {
        let answers = self.gather(question).await?;
        let read = |(answer, at): (Arc<Message>, _)| Some((read::<T>(&answer)?, at));
        let mut answers: Vec<(T, Duration)> = answers.into_iter().filter_map(read).collect();
        answers.retain(|(answer, _)| match &self.addressee {
            Addressee::Everybody => true,
            Addressee::Service(name) => answer.serves(name),
            Addressee::Instance(id) => answer.instance() == id,
        });
        answers.sort_by(|(a, _), (b, _)| a.place().cmp(&b.place()));
        answers.dedup_by(|(a, _), (b, _)| a.instance() == b.instance());
        Ok(answers)
    }

    /// The answers as they came.
    async fn gather(
        &self,
        question: Question,
    ) -> Result<Vec<(Arc<Message>, Duration)>, BrokerError> {
        let deadline = Instant::now() + self.timeout.min(limits::DISCOVERY_LONGEST);
        let correlation_id = Uuid::new_v4();
        let (inbox, mut answers) = collect::inbox(correlation_id);
        let options = CallerOptions {
            exchange: EXCHANGE.to_owned(),
            max_reply: limits::MAX_ANSWER,
            ..CallerOptions::default()
        };
        let open = async {
            let link = self.broker.connection().link().await?;
            link.open_caller(options, Arc::new(inbox)).await
        };
        let channel = match timeout_at(deadline, open).await {
            Ok(Ok(channel)) => channel,
            // Servers declare the exchange: there never was one.
            Ok(Err(error)) if error.kind() == BrokerErrorKind::NotFound => return Ok(Vec::new()),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(self.no_connection()),
        };
        let asked = Instant::now();
        let left = deadline.saturating_duration_since(asked);
        let reply_to = channel.callback_queue();
        let message =
            wire::write_question(question, &self.addressee, correlation_id, reply_to, left);
        if channel.publish(correlation_id, message).is_err() {
            return Err(self.no_connection());
        }
        let enough = Enough { deadline, quiet: self.quiet, answers: self.at_most };
        let answers = answers.gather(enough).await?;
        let timed = answers.into_iter().map(|(answer, at)| (answer, at.duration_since(asked)));
        Ok(timed.collect())
    }

    fn no_connection(&self) -> BrokerError {
        let message = format!("no connection to the broker within {:?}", self.timeout);
        BrokerError::new(BrokerErrorKind::Unreachable, message)
    }
}

/// What answers have in common.
trait Answer: DeserializeOwned {
    fn instance(&self) -> &str {
        self.place().1
    }

    /// Where it comes from, to put answers into an order: the host and the instance.
    fn place(&self) -> (&str, &str);

    fn serves(&self, service: &str) -> bool;
}

impl Answer for InstancePing {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known == service)
    }
}

impl Answer for InstanceInfo {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known.name == service)
    }
}

impl Answer for InstanceStats {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known.name == service)
    }
}

/// What a server answered; one that answers something else is passed over.
fn read<T: DeserializeOwned>(answer: &Message) -> Option<T> {
    let read = codec::decode_value(&answer.body, Encoding::Json);
    read.inspect_err(|error| debug!(%error, "dropped an answer that cannot be read")).ok()
}
