//! Setting up a server.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use tower::{Layer, Service};
use tracing::warn;
use uuid::Uuid;

use super::{
    Dispatch, Health, Server,
    admission::Admission,
    health,
    instance::{Instance, Served},
    neighbours,
    request::{Endpoint, Limits, Queues},
    responder::Responder,
    stats::Counters,
    waits::Waits,
    worker::Worker,
};
use crate::{
    causes::opaque_debug,
    codec::Encoding,
    connection::Access,
    context::{Context, Phase},
    contract::ServiceDescriptor,
    cut,
    discovery::ServerLimits,
    error::BrokerError,
    limits,
    message::MAX_SHORT_STRING,
    middleware::{BoxError, Next, Reply, Request},
    tasks::{BoxFuture, boxed, now},
    transport::Queue,
};

/// With an exchange, a queue is bound by its name and two characters more.
const MAX_QUEUE_NAME: usize = MAX_SHORT_STRING - 2;

/// Sets up a server; made by [`Server::builder`].
///
/// ```
/// # use rpc_runtime::{Broker, rpc_service};
/// use std::time::Duration;
///
/// use rpc_runtime::Server;
/// # #[rpc_service]
/// # trait Orders { async fn place(&self, item: String) -> u64; }
/// # #[rpc_service]
/// # trait Invoices { async fn send(&self, order: u64); }
/// # struct Shop;
/// # impl Orders for Shop { async fn place(&self, _: String) -> u64 { 1 } }
/// # impl Invoices for Shop { async fn send(&self, _: u64) {} }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
/// # let broker = Broker::in_memory();
///
/// let server = Server::builder(&broker)
///     .service(OrdersServer::new(Shop))
///     .service(InvoicesServer::new(Shop))
///     .concurrency(32)
///     .grace_period(Duration::from_secs(10))
///     .start()
///     .await?;
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[must_use = "`start()` makes the server"]
pub struct ServerBuilder {
    access: Arc<Access>,
    services: Vec<(Queue, Box<dyn Dispatch>)>,
    concurrency: u16,
    shed: bool,
    grace_period: Duration,
    discovery: bool,
    limits: Limits,
    layers: Option<Next>,
}

/// A server, and what it is to run.
type Prepared = (Server, Vec<Worker>, Option<Responder>);

impl ServerBuilder {
    pub(crate) fn new(access: Arc<Access>) -> Self {
        Self {
            access,
            services: Vec::new(),
            concurrency: limits::CONCURRENCY,
            shed: false,
            grace_period: limits::GRACE_PERIOD,
            discovery: true,
            limits: Limits {
                max_request: limits::MAX_MESSAGE,
                max_reply: limits::MAX_MESSAGE,
                reply_to_prefixes: None,
                reject_redelivered: false,
                admission: Admission::default(),
                waits: Waits::default(),
            },
            layers: None,
        }
    }

    /// Serves a service on its own queue: durable and classic, of the name that the trait gives it.
    pub fn service(self, service: impl Dispatch) -> Self {
        self.service_on(Queue::default(), service)
    }

    /// Serves a service on a queue of another name, type or limits.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// use rpc_runtime::Queue;
    /// # #[rpc_service]
    /// # trait Jobs { async fn run(&self); }
    /// # struct Runner;
    /// # impl Jobs for Runner { async fn run(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker)
    ///     .service_on(Queue::named("jobs.fast").max_length(1_000), JobsServer::new(Runner))
    ///     .start()
    ///     .await?;
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn service_on(mut self, queue: Queue, service: impl Dispatch) -> Self {
        let queue = queue.or_named(service.descriptor().queue);
        self.services.push((queue, Box::new(service)));
        self
    }

    /// How many requests of each service are worked on at once, and sent ahead by RabbitMQ; at least 1, by default 128.
    pub fn concurrency(mut self, requests: u16) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    /// Answers `overloaded`, at once, to requests beyond the concurrency, instead of leaving them in the queue: for
    /// callers that would rather ask elsewhere, or later, than wait. Where several servers share a queue, one refuses
    /// while another may have room.
    pub fn shed_load(mut self) -> Self {
        self.shed = true;
        self
    }

    /// Runs at most so many calls of one method at once, and answers `overloaded` to more: so a slow method leaves room
    /// for the others of its service.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// # #[rpc_service]
    /// # trait Reports { async fn yearly(&self); }
    /// # struct Printer;
    /// # impl Reports for Printer { async fn yearly(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker)
    ///     .service(ReportsServer::new(Printer))
    ///     .method_concurrency("Reports", "yearly", 2)
    ///     .start()
    ///     .await?;
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn method_concurrency(mut self, service: &str, method: &str, requests: u16) -> Self {
        self.limits.admission.limit(service, method, requests);
        self
    }

    /// Refuses, as `not-permitted`, requests that do not say which user sent them. RabbitMQ checks what they say: see
    /// [`announce_user`](crate::BrokerBuilder::announce_user). A service that calls this one needs that for its own `Broker`.
    pub fn require_caller(mut self) -> Self {
        self.limits.admission.require_caller = true;
        self
    }

    /// Asks for each request, before its method is run, whether it may be: by its caller, its method, its headers. What
    /// it says instead of `Ok` reaches the caller, as `not-permitted`.
    ///
    /// It is called on the threads of tokio, so it must not block.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, CallError, Server, rpc_service};
    /// # #[rpc_service]
    /// # trait Vault { async fn open(&self); }
    /// # struct Steel;
    /// # impl Vault for Steel { async fn open(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker)
    ///     .service(VaultServer::new(Steel))
    ///     .authorize(|request| match (request.method(), request.caller()) {
    ///         ("open", Some("director")) => Ok(()),
    ///         _ => Err("only the director opens the vault".to_owned()),
    ///     })
    ///     .start()
    ///     .await?;
    /// let refused = VaultClient::new(&broker).open().await;
    /// assert!(matches!(refused, Err(CallError::Refused(_))));
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn authorize(
        mut self,
        permit: impl Fn(&Context) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.limits.admission.authorize = Some(Arc::new(permit));
        self
    }

    /// Puts a layer around all methods of all services of this server: see [`middleware`](crate::middleware). It sees requests
    /// that have passed the checks of their envelope and [`authorize`](Self::authorize), not yet decoded. The last layer
    /// that is added is the first to see them.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next>,
        L::Service: Service<Request, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Error: Into<BoxError>,
        <L::Service as Service<Request>>::Future: Send,
    {
        let below = self.layers.unwrap_or_else(Next::method);
        self.layers = Some(below.wrap(&layer));
        self
    }

    /// How long [`Server::shutdown`] waits for handlers that are running; by default 20 seconds.
    pub fn grace_period(mut self, period: Duration) -> Self {
        self.grace_period = period;
        self
    }

    /// The largest request body that is decoded, in bytes; by default 16 MiB.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.limits.max_request = bytes;
        self
    }

    /// The largest reply body that is sent, in bytes; by default 16 MiB.
    pub fn max_reply(mut self, bytes: usize) -> Self {
        self.limits.max_reply = bytes;
        self
    }

    /// Answers only to callback queues that RabbitMQ or aio-pika named (`amq.gen-…`, `amq_…`), to direct reply-to, and to
    /// queues whose names begin like one of these.
    ///
    /// Without this, a server answers to any `reply_to` but its own queues, since many clients name their callback queues
    /// themselves. So a peer can have the server write a reply into any queue that the server's user may write to: see
    /// `docs/security.md`. With an exchange ([`BrokerBuilder::exchange`](crate::BrokerBuilder::exchange)) a server is
    /// always as strict as with `only_reply_to(&[])`, and prefixes let more in.
    ///
    /// A request with another `reply_to` is not run. It is rejected to the dead-letter exchange of its queue, if there is
    /// one and it does not come from one, logged, and counted in [`ServerStats::refused_reply_to`](crate::ServerStats::refused_reply_to). Said more than
    /// once, and together with [`accept_reply_to`](Self::accept_reply_to), the prefixes add up.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// # #[rpc_service]
    /// # trait Orders { async fn place(&self, item: String) -> u64; }
    /// # struct Shop;
    /// # impl Orders for Shop { async fn place(&self, _: String) -> u64 { 1 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::BrokerError> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker)
    ///     .service(OrdersServer::new(Shop))
    ///     .only_reply_to(&["spring.gen-", "web."])
    ///     .start()
    ///     .await?;
    /// # drop(server);
    /// # Ok(())
    /// # }
    /// ```
    pub fn only_reply_to(mut self, prefixes: &[&str]) -> Self {
        let known = self.limits.reply_to_prefixes.get_or_insert_default();
        known.extend(prefixes.iter().map(|&prefix| prefix.to_owned()));
        self
    }

    /// [`only_reply_to`](Self::only_reply_to) for one more prefix: the server answers to callback queues whose names begin
    /// like this, and to those that RabbitMQ named, and to no others.
    pub fn accept_reply_to(self, prefix: impl Into<String>) -> Self {
        self.only_reply_to(&[&prefix.into()])
    }

    /// Runs no request a second time: one that a server had before and did not finish, because it died or lost its
    /// connection, or that was dead-lettered before, is rejected. It goes to the dead-letter exchange of its queue, if there is one, and its caller is told
    /// `outcome-unknown`. So a request that kills its servers kills one of them, on a classic queue, too; at the price that
    /// no request outlives the server that had it.
    pub fn reject_redelivered(mut self) -> Self {
        self.limits.reject_redelivered = true;
        self
    }

    /// Whether the server answers questions about itself: see [`discovery`](crate::discovery). By default it does, as far
    /// as RabbitMQ lets it; what it may not declare does not keep it from serving.
    pub fn discovery(mut self, answers: bool) -> Self {
        self.discovery = answers;
        self
    }

    /// Declares the queues, and starts to consume them.
    ///
    /// # Errors
    ///
    /// There is no service, or two share a queue; bincode cannot carry the types of a method; the broker refuses a queue, or has it with other properties; there is
    /// no connection and never will be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no consumer behind; queues that were declared stay.
    pub async fn start(self) -> Result<Server, BrokerError> {
        self.open().await
    }

    fn open(self) -> BoxFuture<'static, Result<Server, BrokerError>> {
        boxed(async {
            // One for each service, one for discovery, one for replies that may be refused, and one to look at queues.
            let needed = self.services.len() + usize::from(self.discovery) + 2;
            let access = self.access.clone();
            let (mut server, workers, responder) = self.prepare()?;
            check_channels(needed, access.supervisor().connection().await?.channels())?;
            let listening = match &responder {
                Some(responder) => Some(responder.open().await?),
                None => None,
            };
            // Last, because from here on requests are run.
            for worker in workers {
                let opened = worker.open().await?;
                server.workers.spawn(boxed(worker.serve(Some(opened))));
            }
            if let Some(responder) = responder {
                server.beside.spawn(boxed(responder.serve(listening)));
                // Beside it: to ask takes a while.
                let look = neighbours::warn_of_others(access, server.instance.clone());
                server.beside.spawn(boxed(look));
            }
            server.end = None;
            Ok(server)
        })
    }

    /// Starts without waiting for the queues: for a broker in the process, where nothing can fail.
    pub(crate) fn start_detached(self) -> Server {
        match self.prepare() {
            Ok((mut server, workers, responder)) => {
                server.end = Some("its broker was dropped");
                // Queues are declared before the caller can publish to them.
                for worker in workers {
                    let opened = now(worker.open()).and_then(Result::ok);
                    server.workers.spawn(boxed(worker.serve(opened)));
                }
                if let Some(responder) = responder {
                    let listening = now(responder.open()).and_then(Result::ok);
                    server.beside.spawn(boxed(responder.serve(listening)));
                }
                server
            }
            #[allow(clippy::panic, reason = "one service on a queue of its own breaks no rule")]
            Err(error) => panic!("{error}"),
        }
    }

    fn prepare(self) -> Result<Prepared, BrokerError> {
        self.check()?;
        let phase = watch::Sender::new(Phase::Serving);
        let idle = watch::Sender::new(0);
        let blocked = watch::Sender::new(false);
        let health = Health::new(phase.subscribe(), idle.subscribe(), blocked.subscribe());
        let mut beside = JoinSet::new();
        beside.spawn(boxed(health::follow(self.access.status_changes(), blocked)));
        let counters = Arc::new(Counters::default());
        let queues: Arc<[String]> =
            self.services.iter().map(|(queue, _)| as_declared(queue.name())).collect();
        let limits = Arc::new(self.limits);
        let id: Arc<str> = Uuid::new_v4().simple().to_string().into();
        let mut descriptions = Vec::new();
        let workers = self.services.into_iter().map(|(queue, service)| {
            let endpoint = Endpoint::new(
                &*service,
                self.layers.clone(),
                limits.clone(),
                Queues { own: queue.name().to_owned(), all: queues.clone() },
                self.access.exchange().clone(),
                phase.subscribe(),
                counters.clone(),
            );
            descriptions.push(Served {
                service: endpoint.service(),
                queue: queue.name().to_owned(),
                gauges: endpoint.gauges(),
            });
            let (instance, idle) = (id.clone(), idle.clone());
            let (concurrency, shed) = (self.concurrency, self.shed);
            Worker::new(&self.access, queue, concurrency, shed, endpoint, instance, idle)
        });
        let workers = workers.collect();
        let said = ServerLimits {
            concurrency: self.concurrency.into(),
            max_request: limits.max_request as u64,
            max_reply: limits.max_reply as u64,
        };
        let exchange = self.access.exchange();
        let instance = Instance::new(
            id.clone(),
            said,
            exchange,
            descriptions,
            counters.clone(),
            health.clone(),
        );
        let instance = Arc::new(instance);
        let responder = self
            .discovery
            .then(|| Responder::new(self.access.supervisor().clone(), instance.clone()));
        let server = Server {
            workers: JoinSet::new(),
            phase,
            grace_period: self.grace_period,
            counters,
            instance,
            health,
            beside,
            end: Some("it did not start wholly"),
        };
        Ok((server, workers, responder))
    }

    fn check(&self) -> Result<(), BrokerError> {
        if self.services.is_empty() {
            return Err(BrokerError::misuse("a server without a service: add one with `service`"));
        }
        for (service, method) in self.limits.admission.limited() {
            let known = self.services.iter().map(|(_, known)| known.descriptor());
            let mut known = known.filter(|known| known.name == service);
            if known.find_map(|known| known.method(method)).is_none() {
                return Err(BrokerError::misuse(format!(
                    "`method_concurrency` names {service}.{method}, which this server does not serve"
                )));
            }
        }
        for (_, service) in &self.services {
            check_types(service.descriptor())?;
        }
        for (index, (queue, service)) in self.services.iter().enumerate() {
            let name = service.descriptor().name;
            let mut earlier = self.services.iter().take(index);
            if let Some((_, other)) = earlier.find(|(other, _)| other.name() == queue.name()) {
                return Err(BrokerError::misuse(format!(
                    "{:?} and {name:?} share the queue {:?}, and one queue serves one service: \
                     give one of them another with `service_on`",
                    other.descriptor().name,
                    queue.name()
                )));
            }
            if queue.name().len() > MAX_QUEUE_NAME {
                return Err(BrokerError::misuse(format!(
                    "the queue of {name:?} has a name of {} bytes, where RabbitMQ takes {MAX_QUEUE_NAME}: {:?}",
                    queue.name().len(),
                    cut::prefix(queue.name(), 40)
                )));
            }
            if queue.name().is_empty() || queue.name().starts_with("amq.") {
                return Err(BrokerError::misuse(format!(
                    "the queue of {name:?} cannot be called {:?}: RabbitMQ reserves such names",
                    queue.name()
                )));
            }
        }
        Ok(())
    }
}

/// The name under which RabbitMQ knows a queue: it takes line breaks out.
fn as_declared(name: &str) -> String {
    name.replace(['\r', '\n'], "")
}

/// Refuses types that the service's own encoding would misread, and logs those that signatures cover by name alone.
fn check_types(service: &ServiceDescriptor) -> Result<(), BrokerError> {
    for method in service.methods {
        if let Some(misfit) = method.misfit(service.encoding) {
            let name = service.name;
            return Err(BrokerError::misuse(format!(
                "{name}.{} cannot be served: {misfit}",
                method.name
            )));
        }
        if service.encoding == Encoding::Bincode && !method.signature.unseen().is_empty() {
            warn!(
                service = service.name,
                method = method.name,
                types = method.signature.unseen().join(", "),
                "the signature covers these types by their names alone, since they refuse every sample: \
                 a change inside of them is not noticed"
            );
        }
    }
    Ok(())
}

/// Fails where a connection may have too few channels for a server, before it serves with some of them.
fn check_channels(needed: usize, allowed: Option<u16>) -> Result<(), BrokerError> {
    match allowed.map(usize::from) {
        Some(allowed) if allowed < needed => Err(BrokerError::misuse(format!(
            "the connection may have {allowed} channels, and this server needs {needed}, besides two for calls: raise \
             `channel_max`, in the address of the broker or in the configuration of RabbitMQ"
        ))),
        _ => Ok(()),
    }
}

opaque_debug!(ServerBuilder, |it| services: it.services.len(), concurrency: it.concurrency);
