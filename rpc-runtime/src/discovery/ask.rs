//! Putting a question to servers, and reading what they answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{
    InstanceInfo, InstancePing, InstanceStats,
    collect::{self, Enough},
    reading::{Answer, Reading},
    wire::{self, Addressee, Question},
};
use crate::{
    connection::Access,
    error::{BrokerError, BrokerErrorKind},
    limits,
    transport::CallerOptions,
    wire::DISCOVERY_EXCHANGE,
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
#[must_use = "nothing is asked until one of its questions is awaited"]
pub struct Discovery {
    access: Arc<Access>,
    addressee: Addressee,
    timeout: Duration,
    quiet: Duration,
    at_most: usize,
    dropped: Arc<AtomicU64>,
}

impl Discovery {
    /// Asks every server of the virtual host.
    pub(crate) fn over(access: Arc<Access>) -> Self {
        Self {
            access,
            addressee: Addressee::Everybody,
            timeout: limits::DISCOVERY_TIMEOUT,
            quiet: limits::DISCOVERY_QUIET,
            at_most: limits::MAX_ANSWERS,
            dropped: Arc::default(),
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

    /// How many answers were dropped so far, of questions of this `Discovery` and its clones: they were too large, were too many,
    /// could not be read, or could not be read in time. A line at WARN has said so.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
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
        let mut reading = Reading::new(&self.addressee);
        self.gather(question, &mut reading).await?;
        let dropped = reading.report(question);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        Ok(reading.into_answers())
    }

    /// Reads the answers as they come.
    async fn gather<T: Answer>(
        &self,
        question: Question,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), BrokerError> {
        let deadline = Instant::now() + self.timeout.min(limits::DISCOVERY_LONGEST);
        let correlation_id = Uuid::new_v4();
        let (inbox, mut answers) = collect::inbox(correlation_id);
        let options = CallerOptions {
            exchange: DISCOVERY_EXCHANGE.to_owned(),
            max_reply: limits::MAX_ANSWER,
            ..CallerOptions::default()
        };
        let open = async {
            let connection = self.access.supervisor().connection().await?;
            connection.open_caller(options, Arc::new(inbox)).await
        };
        let channel = match timeout_at(deadline, open).await {
            Ok(Ok(channel)) => channel,
            // Servers declare the exchange: there never was one.
            Ok(Err(error)) if error.kind() == BrokerErrorKind::NotFound => return Ok(()),
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
        let enough = Enough {
            deadline,
            quiet: self.quiet.min(limits::DISCOVERY_LONGEST),
            answers: self.at_most,
        };
        answers
            .gather(enough, |answer, at| reading.read(&answer.body, at.duration_since(asked)))
            .await?;
        // Where there are as many as are enough, the others are not missed.
        let late = if Instant::now() < deadline { 0 } else { answers.left() };
        reading.note_unread(answers.dropped(), late);
        Ok(())
    }

    fn no_connection(&self) -> BrokerError {
        let message = format!("no connection to the broker within {:?}", self.timeout);
        BrokerError::new(BrokerErrorKind::Unreachable, message)
    }
}
