//! A connection to RabbitMQ, or a broker in the process, shared by any number of clients and servers.

mod builder;
mod clients;
#[cfg(feature = "testing")]
mod faulty;
mod identity;
#[cfg(feature = "lapin")]
mod over_lapin;

use std::sync::Arc;

use tower::{Layer, Service};

pub use builder::BrokerBuilder;

use crate::{
    causes::opaque_debug,
    client::Session,
    connection::{BrokerStatus, StatusChanges, Supervisor},
    error::BrokerError,
    middleware::{BoxError, Next, Reply, Request},
    server::{Dispatch, ServerBuilder},
    transport::{QueueState, memory::MemoryTransport},
};

/// A connection to RabbitMQ that is made again after each loss, or a broker in the process.
///
/// It is cheap to clone. All clients and servers made from it share one connection, and all clients one callback queue. The
/// connection closes when the last clone, client and server is dropped.
///
/// ```no_run
/// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
/// use rpc_runtime::Broker;
///
/// let broker = Broker::connect("amqp://guest:guest@localhost:5672/%2f").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Broker {
    session: Arc<Session>,
    /// The layers around the calls of clients that are made from this handle.
    layers: Option<Next>,
}

impl Broker {
    /// Connects to RabbitMQ.
    ///
    /// The address is `amqp://user:password@host:port/vhost`; port 5672, the virtual host `/` (written `%2f`), and the user
    /// and password `guest` may be left out. A query may follow, with the parameters that other programs use: `heartbeat`
    /// (seconds), `channel_max`, `frame_max` (bytes) and `auth_mechanism` (`plain` or `external`).
    ///
    /// In a user, a password or a virtual host, `#`, `/`, `?`, `@` and `%` have to be percent-encoded.
    ///
    /// Attempts are repeated for 30 seconds, or for 3 seconds if no broker listens at the address. Each failed attempt is
    /// logged. Use [`builder`](Self::builder) to change these times, or to connect to several nodes.
    ///
    /// # Errors
    ///
    /// The address is invalid, no broker responds, or the broker refuses the user, the password or the virtual host.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt.
    pub async fn connect(address: &str) -> Result<Self, BrokerError> {
        Self::builder(address).connect().await
    }

    /// Sets up a connection to RabbitMQ; more addresses can be added to this one.
    pub fn builder(address: &str) -> BrokerBuilder {
        BrokerBuilder::new(address)
    }

    /// A broker in this process, for tests and demonstrations. Each call makes a new broker.
    /// [`BrokerBuilder::in_memory`] makes one with the options that you deploy with.
    ///
    /// ```
    /// use rpc_runtime::Broker;
    ///
    /// let broker = Broker::in_memory();
    /// ```
    pub fn in_memory() -> Self {
        let transport = MemoryTransport::default();
        let connection = transport.connection();
        BrokerBuilder::new("").build_on(Supervisor::up(Arc::new(transport), connection))
    }

    /// A broker in this process with one service on it: the short form for tests.
    ///
    /// It has to be called within a tokio runtime.
    ///
    /// ```
    /// use rpc_runtime::{Broker, rpc_service};
    ///
    /// #[rpc_service]
    /// trait Doubler {
    ///     async fn double(&self, n: u32) -> u32;
    /// }
    ///
    /// struct Plain;
    /// impl Doubler for Plain {
    ///     async fn double(&self, n: u32) -> u32 {
    ///         2 * n
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let client = DoublerClient::new(&Broker::serving(DoublerServer::new(Plain)));
    /// assert_eq!(client.double(21).await.unwrap(), 42);
    /// # }
    /// ```
    pub fn serving(service: impl Dispatch) -> Self {
        Self::in_memory().serve(service)
    }

    fn serve(self, service: impl Dispatch) -> Self {
        let access = self.session.access();
        access.keep(ServerBuilder::new(access.clone()).service(service).start_detached());
        self
    }

    /// The same connection, with a layer around all calls of clients that are made from the returned handle: see
    /// [`middleware`](crate::middleware). These clients share the state of the layer (a limit, a cache). Clients that were
    /// made before, and clients of other clones, do not change. The last layer that is added sees a call first.
    ///
    /// Servers that are built from the handle do not take its layers over: those of a server are given to
    /// [`ServerBuilder::layer`](crate::ServerBuilder::layer). A handler that calls other services with clients made from
    /// the handle has its calls go through them, as any caller has.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, rpc_service};
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::CallError> {
    /// # let broker = Broker::serving(ClockServer::new(Stopped));
    /// // At most ten calls at once, over all clients that are made from it.
    /// let gentle = broker.layer(tower::limit::ConcurrencyLimitLayer::new(10));
    /// assert_eq!(ClockClient::new(&gentle).year().await?, 1926);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the layer is around the calls of clients that are made from the handle that this returns"]
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Next>,
        L::Service: Service<Request, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Error: Into<BoxError>,
        <L::Service as Service<Request>>::Future: Send,
    {
        let below = self.layers.unwrap_or_else(Next::wire);
        Self { session: self.session, layers: Some(below.wrap(&layer)) }
    }

    pub(crate) fn layers(&self) -> Option<Next> {
        self.layers.clone()
    }

    /// Closes the connection. Calls in flight end with [`CallError::ConnectionLost`](crate::CallError), later ones with an
    /// error that reports that the broker was closed. Shut servers down first.
    pub async fn close(&self) {
        self.session.access().supervisor().close().await;
    }

    /// The status of the connection.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use rpc_runtime::{Broker, BrokerStatus};
    ///
    /// let broker = Broker::in_memory();
    /// broker.close().await;
    /// assert!(matches!(broker.status(), BrokerStatus::Closed));
    /// # }
    /// ```
    pub fn status(&self) -> BrokerStatus {
        self.session.access().status()
    }

    /// The status of the connection and its changes, from now on.
    ///
    /// ```
    /// # async fn report(broker: &rpc_runtime::Broker) {
    /// let mut changes = broker.status_changes();
    /// while let Some(status) = changes.next().await {
    ///     println!("RabbitMQ: {status}");
    /// }
    /// # }
    /// ```
    pub fn status_changes(&self) -> StatusChanges {
        self.session.access().status_changes()
    }

    /// How many calls are in flight, over all clients.
    pub fn in_flight(&self) -> usize {
        self.session.in_flight().len()
    }

    /// How many replies arrived that no call was waiting for: late, duplicate or forged ones.
    pub fn unclaimed_replies(&self) -> u64 {
        self.session.in_flight().unclaimed()
    }

    /// The numbers of messages and of consumers of a queue; `None` if there is no such queue. Every user of the virtual host
    /// may ask RabbitMQ for them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
    /// let broker = rpc_runtime::Broker::in_memory();
    /// assert!(broker.queue_state("Fibonacci").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// There is no connection and there will be none, or the connection was lost.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future discards the response.
    pub async fn queue_state(&self, queue: &str) -> Result<Option<QueueState>, BrokerError> {
        self.session.access().queue_state(queue).await
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

opaque_debug!(Broker, |it| address: it.session.access().address(), in_flight: it.in_flight());
