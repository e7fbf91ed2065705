//! Setting up a broker.

use std::{sync::Arc, time::Duration};

use super::Broker;
use crate::{
    client::{Session, SessionLimits},
    connection::{Patience, Supervisor, Unavailable},
    error::BrokerError,
    limits,
    tasks::{BoxFuture, boxed},
    transport::{
        CallerOptions, Tls, Transport,
        amqp::{AmqpOptions, AmqpTransport},
    },
};

/// Sets up a connection to RabbitMQ; made by [`Broker::builder`].
///
/// ```no_run
/// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
/// use std::time::Duration;
///
/// use rpc_runtime::Broker;
///
/// let broker = Broker::builder("amqp://rabbit-1/%2f")
///     .address("amqp://rabbit-2/%2f")
///     .name("billing")
///     .connect_timeout(Duration::from_secs(5))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "`connect()` makes the connection"]
pub struct BrokerBuilder {
    pub(super) addresses: Vec<String>,
    name: Option<String>,
    connect_timeout: Duration,
    wait_for_broker: Option<Duration>,
    pub(super) heartbeat: Duration,
    max_attempts: Option<u32>,
    unavailable: Unavailable,
    max_in_flight: usize,
    when_full: Unavailable,
    tls: Tls,
    external: bool,
    caller: CallerOptions,
    /// Makes the connections, instead of the addresses.
    #[cfg(feature = "lapin")]
    pub(super) over_lapin: Option<crate::transport::lapin::Connect>,
}

impl std::fmt::Debug for BrokerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Addresses hold passwords.
        f.debug_struct("BrokerBuilder")
            .field("addresses", &self.addresses.len())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl BrokerBuilder {
    pub(super) fn new(address: &str) -> Self {
        Self {
            addresses: vec![address.to_owned()],
            name: None,
            connect_timeout: limits::CONNECT_TIMEOUT,
            wait_for_broker: None,
            heartbeat: limits::HEARTBEAT,
            max_attempts: None,
            unavailable: Unavailable::default(),
            max_in_flight: limits::MAX_IN_FLIGHT,
            when_full: Unavailable::Fail,
            tls: Tls::default(),
            external: false,
            caller: CallerOptions::default(),
            #[cfg(feature = "lapin")]
            over_lapin: None,
        }
    }

    /// Another node of the same cluster. The nodes are tried in turn, from a random one on, so that the connections of many
    /// programs spread. If a node is slow, the next one is tried soon: a node that swallows packets costs a moment.
    pub fn address(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// What the connection is called in RabbitMQ's management pages; by default the program's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long the first connection may take, over all attempts; by default 30 seconds. Where nobody will ever answer
    /// (each address refuses the connection, is not found, has another certificate, or does not speak AMQP), it is given up
    /// after 3 seconds, unless the broker is [waited for](Self::wait_for_broker).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long to wait for a broker that does not listen yet: for programs that may be started before their broker. The
    /// first connection may take this time even if [`connect_timeout`](Self::connect_timeout) is shorter.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use std::time::Duration;
    ///
    /// use rpc_runtime::Broker;
    ///
    /// // Both are started by the same `docker compose up`.
    /// let broker = Broker::builder("amqp://rabbit")
    ///     .wait_for_broker(Duration::from_secs(60))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_broker(mut self, time: Duration) -> Self {
        self.wait_for_broker = Some(time);
        self
    }

    /// How many attempts in a row may fail before the connection is given up for good, at the start and whenever it was
    /// lost; at least 1. An attempt tries all addresses. By default attempts go on for ever, with pauses of up to 5 seconds.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// What calls do while the connection is down, or while RabbitMQ takes no messages because it is short of memory or
    /// of disk; by default they wait until their deadline.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::{Broker, Unavailable};
    ///
    /// // For callers that have something better to do than to wait.
    /// let broker =
    ///     Broker::builder("amqp://localhost").when_unavailable(Unavailable::Fail).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn when_unavailable(mut self, unavailable: Unavailable) -> Self {
        self.unavailable = unavailable;
        self
    }

    /// How often both sides assure each other that they live, in whole seconds; by default 8. A connection that died
    /// without a word is noticed within twice that.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// How connections to `amqps://` addresses are made: private roots, a certificate of our own. It takes the feature
    /// `tls` of this crate; without, such addresses are refused.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Logs in by the certificate that [`tls`](Self::tls) shows (SASL EXTERNAL) instead of by a password.
    pub fn login_by_certificate(mut self) -> Self {
        self.external = true;
        self
    }

    /// The most calls in flight at once, over all clients; by default 131,072. See [`when_full`](Self::when_full) for what
    /// one more does.
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.max_in_flight = calls;
        self
    }

    /// What a call does while as many are in flight as allowed: end at once, refused as `overloaded`, which is the default;
    /// or wait for one of them to end, until its own deadline.
    pub fn when_full(mut self, when_full: Unavailable) -> Self {
        self.when_full = when_full;
        self
    }

    /// Whether RabbitMQ confirms each request; by default it does. Without, calls are a little cheaper, and a queue that
    /// is missing or full shows only when the deadline passes.
    pub fn confirms(mut self, confirms: bool) -> Self {
        self.caller.confirms = confirms;
        self
    }

    /// Receives replies by RabbitMQ's direct reply-to instead of a callback queue of its own. It saves a queue for
    /// processes that make few calls; for many calls the queue is faster, and RabbitMQ recommends it.
    pub fn direct_reply_to(mut self, direct: bool) -> Self {
        self.caller.direct_reply_to = direct;
        self
    }

    /// Has each request say which user sent it (`user_id`), the one in the address; RabbitMQ lets nobody say another. Servers
    /// see it as [`Context::caller`](crate::Context::caller), and may [require](crate::ServerBuilder::require_caller) it.
    /// With a login by certificate, write the name that RabbitMQ takes from it into the address.
    ///
    /// ```no_run
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// # #[rpc_service]
    /// # trait Vault { async fn open(&self); }
    /// # struct Steel;
    /// # impl Vault for Steel { async fn open(&self) {} }
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// // At the caller:
    /// let broker = Broker::builder("amqp://director@rabbit-1").announce_user().connect().await?;
    /// // At the server:
    /// let server =
    ///     Server::builder(&broker).service(VaultServer::new(Steel)).require_caller().start().await?;
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn announce_user(mut self) -> Self {
        self.caller.announce_user = true;
        self
    }

    /// Sends requests through this durable topic exchange, which servers declare, with the routing key
    /// `<queue>.<method>`: RabbitMQ's topic permissions then say who may call what.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::Broker;
    ///
    /// // For servers and callers alike; `docs/security.md` has the permissions that go with it.
    /// let broker = Broker::builder("amqp://localhost").exchange("rpc").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exchange(mut self, exchange: impl Into<String>) -> Self {
        self.caller.exchange = exchange.into();
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// An address is not one, nobody answers within the time allowed, or the broker refuses the user, the password or
    /// the virtual host.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect(self) -> Result<Broker, BrokerError> {
        self.connected().await
    }

    fn connected(self) -> BoxFuture<'static, Result<Broker, BrokerError>> {
        boxed(async {
            let transport = self.transport()?;
            let broker = self.build(transport);
            broker.session.access().supervisor().first_connection().await?;
            Ok(broker)
        })
    }

    fn transport(&self) -> Result<Arc<dyn Transport>, BrokerError> {
        #[cfg(feature = "lapin")]
        if let Some(transport) = self.transport_over_lapin() {
            return Ok(transport);
        }
        let name = self.name.clone().unwrap_or_else(program_name);
        let transport = AmqpTransport::new(&AmqpOptions {
            addresses: &self.addresses,
            name: &name,
            heartbeat: self.heartbeat,
            tls: &self.tls,
            external: self.external,
        })?;
        #[cfg(all(feature = "lapin", feature = "failpoints"))]
        if let Some(transport) = self.transport_of_tests(&name) {
            return Ok(transport);
        }
        Ok(Arc::new(transport))
    }

    pub(super) fn build(self, transport: Arc<dyn Transport>) -> Broker {
        let (connect, wait) = (self.connect_timeout, self.wait_for_broker);
        let patience = Patience {
            within: wait.map_or(connect, |wait| wait.max(connect)),
            hopeless: wait.unwrap_or(limits::HOPELESS),
        };
        let supervisor = Supervisor::new(transport, self.max_attempts, Some(patience));
        self.build_on(supervisor)
    }

    pub(super) fn build_on(self, supervisor: Supervisor) -> Broker {
        let limits = SessionLimits {
            max_in_flight: self.max_in_flight,
            when_full: self.when_full,
            unavailable: self.unavailable,
        };
        Broker { session: Session::new(supervisor, self.caller, limits), layers: None }
    }
}

fn program_name() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
    name.unwrap_or("rpc-runtime").to_owned()
}
