//! Setting up a generated client.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use tower::{Layer, Service};

use super::{
    Session, WhenUnserved,
    handle::{Client, ClientShared},
};
use crate::{
    causes::opaque_debug,
    codec::Encoding,
    contract::ServiceDescriptor,
    limits,
    middleware::{BoxError, Next, Reply, Request},
};

/// What a generated client is to this crate.
pub trait Stub: Sized {
    /// What its service is.
    fn descriptor() -> &'static ServiceDescriptor;

    /// Puts the methods of the trait around an untyped client.
    fn from_client(client: Client) -> Self;
}

/// Sets up a generated client; made by its `builder`.
///
/// ```
/// use std::time::Duration;
///
/// use rpc_runtime::{Broker, Encoding, rpc_service};
///
/// #[rpc_service]
/// trait Echo {
///     async fn echo(&self, text: String) -> String;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let broker = Broker::in_memory();
/// let client = EchoClient::builder(&broker)
///     .timeout(Duration::from_secs(1))
///     .encoding(Encoding::Json)
///     .queue("echo-staging")
///     .build();
/// assert!(client.echo("nobody is there".into()).await.is_err());
/// # }
/// ```
#[must_use = "`build()` makes the client"]
pub struct ClientBuilder<C> {
    shared: ClientShared,
    when_unserved: WhenUnserved,
    client: PhantomData<fn() -> C>,
}

impl<C: Stub> ClientBuilder<C> {
    /// A client with these layers, over this session.
    pub(crate) fn new(session: Arc<Session>, layers: Option<Next>) -> Self {
        let service = C::descriptor();
        Self {
            shared: ClientShared {
                session,
                service,
                queue: service.queue.into(),
                encoding: service.encoding,
                timeout: None,
                max_request: limits::MAX_MESSAGE,
                layers,
                watch: None,
            },
            when_unserved: WhenUnserved::default(),
            client: PhantomData,
        }
    }

    /// How long calls wait for their answer, unless they say otherwise themselves. It takes the place of what the
    /// trait says of the service and of its methods.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.shared.timeout = Some(timeout);
        self
    }

    /// How arguments are written; by default as the trait says.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.shared.encoding = encoding;
        self
    }

    /// The queue that requests go to; by default as the trait says.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.shared.queue = queue.into().into();
        self
    }

    /// The largest request body that is sent, in bytes; by default 16 MiB, as RabbitMQ from 4.0 on takes them.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.shared.max_request = bytes;
        self
    }

    /// What calls do while no server consumes the queue: by default they are sent, and wait there until their deadline.
    ///
    /// With [`WhenUnserved::Fail`] RabbitMQ is asked who consumes the queue before a request is sent, unless a call was answered
    /// within the last 50 milliseconds. That costs two round trips; calls of all clients of a queue that are made within a
    /// millisecond share one. If nobody consumes the queue, and nobody comes to within half a second, the call ends as
    /// [`CallError::NoServer`](crate::CallError::NoServer), and at its deadline if that is earlier. Calls that follow end at
    /// once, until a server is there. A request that was sent waits until its deadline: it may have run. One-way requests are
    /// always sent, since they are for servers to come, too.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, CallError, Queue, Server, WhenUnserved, rpc_service};
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
    /// let client = ClockClient::builder(&broker).when_unserved(WhenUnserved::Fail).build();
    /// assert_eq!(client.year().await?, 1926);
    /// server.shutdown().await?;
    /// assert!(matches!(client.year().await, Err(CallError::NoServer)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn when_unserved(mut self, then: WhenUnserved) -> Self {
        self.when_unserved = then;
        self
    }

    /// Puts a layer around the calls of this client, and around the layers of its broker: see
    /// [`middleware`](crate::middleware). The last layer that is added is the first to see a call.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next>,
        L::Service: Service<Request, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Error: Into<BoxError>,
        <L::Service as Service<Request>>::Future: Send,
    {
        let below = self.shared.layers.unwrap_or_else(Next::wire);
        self.shared.layers = Some(below.wrap(&layer));
        self
    }

    /// Makes the client. Nothing is sent or declared.
    pub fn build(mut self) -> C {
        if self.when_unserved == WhenUnserved::Fail {
            self.shared.watch = Some(self.shared.session.watch(&self.shared.queue));
        }
        C::from_client(Client { shared: Arc::new(self.shared) })
    }
}

opaque_debug!(ClientBuilder<C>, |it| queue: it.shared.queue, encoding: it.shared.encoding);
