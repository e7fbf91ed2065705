//! Setting up a broker.

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
    time::Duration,
};

use super::Broker;
use crate::{
    causes::opaque_debug,
    client::{Session, SessionLimits, WhenFull},
    connection::{Patience, Supervisor, Unavailable},
    error::BrokerError,
    limits,
    tasks::{BoxFuture, boxed},
    transport::{
        CallerOptions, Tls, Transport,
        amqp::{AmqpOptions, AmqpTransport},
        memory::MemoryTransport,
    },
};

/// Sets up a connection to RabbitMQ, made by [`Broker::builder`]; or a broker in the process with the same options:
/// [`BrokerBuilder::in_memory`].
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
    addresses: Vec<String>,
    name: Option<String>,
    connect_timeout: Duration,
    wait_for_broker: Option<Duration>,
    heartbeat: Duration,
    max_attempts: Option<u32>,
    unavailable: Unavailable,
    max_in_flight: usize,
    when_full: WhenFull,
    tls: Tls,
    external: bool,
    caller: CallerOptions,
    /// Makes what takes the place of a connection to the addresses.
    instead: Option<MakeTransport>,
}

/// Called for each broker that is made.
#[derive(Clone)]
struct MakeTransport(Arc<dyn Fn() -> Arc<dyn Transport> + Send + Sync>);

// A builder that a panic interrupts has changed nothing: `connect` makes its transport anew.
impl UnwindSafe for MakeTransport {}
impl RefUnwindSafe for MakeTransport {}

// Addresses hold passwords.
opaque_debug!(BrokerBuilder, |it| addresses: it.addresses.len(), name: it.name);

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
            when_full: WhenFull::default(),
            tls: Tls::default(),
            external: false,
            caller: CallerOptions::default(),
            instead: None,
        }
    }

    /// Sets up a broker over another transport than AMQP. It needs no address.
    pub(super) fn over(make: impl Fn() -> Arc<dyn Transport> + Send + Sync + 'static) -> Self {
        Self { instead: Some(MakeTransport(Arc::new(make))), ..Self::new("") }
    }

    /// Sets up a broker in the process, for tests of what is deployed with options: calls, limits and the exchange are as
    /// with RabbitMQ. Each [`connect`](Self::connect) makes another broker. [`Broker::in_memory`] is the short form.
    ///
    /// There is no socket, so [`address`](Self::address), [`name`](Self::name), [`heartbeat`](Self::heartbeat),
    /// [`tls`](Self::tls) and [`login_by_certificate`](Self::login_by_certificate) do nothing. `connect` succeeds at once.
    ///
    /// ```
    /// # use rpc_runtime::{CallError, FaultKind, Server, rpc_service};
    /// use rpc_runtime::BrokerBuilder;
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // The same function sets the options of the broker that is deployed.
    /// fn options(builder: BrokerBuilder) -> BrokerBuilder {
    ///     builder.exchange("rpc").max_in_flight(1_000)
    /// }
    ///
    /// let broker = options(BrokerBuilder::in_memory()).connect().await?;
    /// let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
    /// assert_eq!(ClockClient::new(&broker).year().await?, 1926);
    /// # server.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_memory() -> Self {
        Self::over(|| Arc::new(MemoryTransport::default()))
    }

    /// Another node of the same cluster. The nodes are tried in turn, starting with a random one, to distribute the
    /// connections of many programs. If a node is slow, the next one is tried soon, so a node that drops packets causes only
    /// a short delay. It does nothing in memory
    /// or over lapin.
    pub fn address(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// The name of the connection in RabbitMQ's management pages; by default the program's name. It does nothing in memory
    /// or over lapin.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long the first connection may take, over all attempts; by default 30 seconds. If no attempt can succeed (each
    /// address refuses the connection, is not found, has another certificate, or does not speak AMQP), attempts end after 3
    /// seconds, unless [`wait_for_broker`](Self::wait_for_broker) is set.
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

    /// How many attempts in a row may fail before the connection is given up for good, at the start and after each loss; at
    /// least 1. One attempt tries all addresses. By default attempts continue for ever, with pauses of up to 5 seconds.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// What calls do while the connection is down, or while RabbitMQ accepts no messages because it is short of memory or of
    /// disk space; by default they wait until their deadline.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::{Broker, Unavailable};
    ///
    /// // For callers that should fail at once instead of waiting.
    /// let broker =
    ///     Broker::builder("amqp://localhost").when_unavailable(Unavailable::Fail).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn when_unavailable(mut self, unavailable: Unavailable) -> Self {
        self.unavailable = unavailable;
        self
    }

    /// The interval of heartbeats, in whole seconds; by default 8. A dead connection is detected within twice this time. It does
    /// nothing in memory or over lapin.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// TLS settings for `amqps://` addresses: private roots, a client certificate. These addresses need the feature `tls` of
    /// this crate, and are refused without it. The settings do nothing in memory
    /// or over lapin.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Logs in with the client certificate of [`tls`](Self::tls) (SASL EXTERNAL) instead of a password. It does nothing in
    /// memory or over lapin.
    pub fn login_by_certificate(mut self) -> Self {
        self.external = true;
        self
    }

    /// The most calls in flight at once, over all clients; by default 131,072. [`when_full`](Self::when_full) sets what one
    /// more call does.
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.max_in_flight = calls;
        self
    }

    /// What a call does while the allowed number of calls is in flight. It fails at once, refused as `overloaded`, which is
    /// the default; or it waits for another call to end, until its own deadline.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::{BrokerBuilder, WhenFull};
    ///
    /// let broker =
    ///     BrokerBuilder::in_memory().max_in_flight(100).when_full(WhenFull::Wait).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Unavailable`] is an older spelling: its `Fail` stands for [`WhenFull::Refuse`].
    pub fn when_full(mut self, then: impl Into<WhenFull>) -> Self {
        self.when_full = then.into();
        self
    }

    /// Whether RabbitMQ confirms each request; by default it does. Without confirms, calls are a little cheaper, but a full
    /// queue is only noticed when the deadline passes, and a one-way call succeeds as soon as it is sent.
    pub fn confirms(mut self, confirms: bool) -> Self {
        self.caller.confirms = confirms;
        self
    }

    /// Receives replies through RabbitMQ's direct reply-to instead of a callback queue. This saves a queue for processes
    /// that make few calls. For many calls a callback queue is faster, and RabbitMQ recommends it.
    pub fn direct_reply_to(mut self, direct: bool) -> Self {
        self.caller.direct_reply_to = direct;
        self
    }

    /// Names the user of the address in each request (`user_id`). RabbitMQ refuses requests that name another user. Servers
    /// see it as [`Context::caller`](crate::Context::caller), and may [require](crate::ServerBuilder::require_caller) it.
    /// With a login by certificate, the address has to contain the user name that RabbitMQ reads from the certificate.
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

    /// Sends requests through this durable topic exchange, which servers declare, with the routing key `<queue>.<method>`:
    /// RabbitMQ's topic permissions then decide who may call what.
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
    /// An address is invalid, no broker responds within the time limit, or the broker refuses the user, the password or the
    /// virtual host.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt.
    pub async fn connect(self) -> Result<Broker, BrokerError> {
        self.connected().await
    }

    fn connected(self) -> BoxFuture<'static, Result<Broker, BrokerError>> {
        boxed(async {
            let transport = match &self.instead {
                Some(MakeTransport(make)) => make(),
                None => self.amqp()?,
            };
            let broker = self.build(transport);
            broker.session.access().supervisor().first_connection().await?;
            Ok(broker)
        })
    }

    fn amqp(&self) -> Result<Arc<dyn Transport>, BrokerError> {
        let name = self.name.clone().unwrap_or_else(program_name);
        let transport = AmqpTransport::new(&AmqpOptions {
            addresses: &self.addresses,
            name: &name,
            heartbeat: self.heartbeat,
            tls: &self.tls,
            external: self.external,
        })?;
        #[cfg(all(feature = "lapin", feature = "failpoints"))]
        if let Some(over_lapin) =
            super::over_lapin::for_tests(&self.addresses, &name, self.heartbeat)
        {
            return Ok(over_lapin);
        }
        Ok(Arc::new(transport))
    }

    fn build(self, transport: Arc<dyn Transport>) -> Broker {
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
