//! The builder of a generated client.

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

/// The interface of a generated client to this crate.
pub trait Stub: Sized {
    /// The description of its service.
    fn descriptor() -> &'static ServiceDescriptor;

    /// Makes a generated client from an untyped one.
    fn from_client(client: Client) -> Self;
}

/// Sets up a generated client. Made by its `builder`.
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

    /// How long calls wait for their reply, unless the call itself sets a timeout. It overrides the timeouts that the
    /// trait gives the service and its methods.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.shared.timeout = Some(timeout);
        self
    }

    /// The encoding of arguments. By default the one that the trait gives.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.shared.encoding = encoding;
        self
    }

    /// The queue that requests go to. By default the one that the trait gives.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.shared.queue = queue.into().into();
        self
    }

    /// The largest request body that is sent, in bytes. By default 16 MiB, the limit of RabbitMQ since 4.0.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.shared.max_request = bytes;
        self
    }

    /// What calls do while no server consumes the queue. By default they are sent, and wait there until their
    /// deadline.
    ///
    /// With [`WhenUnserved::Fail`], the client asks RabbitMQ for the queue's consumers before it sends a request,
    /// unless a call got a reply within the last 50 milliseconds. That costs two round trips. Calls of all clients of
    /// a queue within a millisecond share one check. If the queue has no consumer for half a second, or until an
    /// earlier deadline of the call, the call ends as [`CallError::NoServer`](crate::CallError::NoServer). The calls
    /// that follow end at once, until a server is there. A request that was sent waits until its deadline, because it
    /// may have run. One-way requests are always sent, because they may be meant for servers that start later.
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

    /// Puts a layer around the calls of this client, outside the layers of its broker: see
    /// [`middleware`](crate::middleware). The layer that was added last gets a call first.
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

    /// Makes the client. It sends and declares nothing.
    pub fn build(mut self) -> C {
        if self.when_unserved == WhenUnserved::Fail {
            self.shared.watch = Some(self.shared.session.watch(&self.shared.queue));
        }
        C::from_client(Client { shared: Arc::new(self.shared) })
    }
}

opaque_debug!(ClientBuilder<C>, |it| queue: it.shared.queue, encoding: it.shared.encoding);
