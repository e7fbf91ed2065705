//! The context of a request, for its handler and for the calls that the handler makes. The server fills it.

mod phase;

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use smol_str::SmolStr;
use tokio::{
    sync::watch,
    task::futures::TaskLocalFuture,
    time::{Instant, sleep_until},
};

pub(crate) use self::phase::Phase;
use crate::{
    causes::opaque_debug,
    contract::MethodDescriptor,
    message::Id,
    wire::{TRACE_HEADERS, UserHeaders},
};

tokio::task_local! {
    static CURRENT: Context;
}

/// The request that the current handler serves.
///
/// ```
/// use rpc_runtime::{Broker, Context, rpc_service};
///
/// #[rpc_service]
/// trait Tenants {
///     async fn mine(&self) -> Option<String>;
/// }
///
/// struct FromHeader;
/// impl Tenants for FromHeader {
///     async fn mine(&self) -> Option<String> {
///         Context::current()?.header("tenant").map(str::to_owned)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::CallError> {
/// let client = TenantsClient::new(&Broker::serving(TenantsServer::new(FromHeader)));
/// assert_eq!(client.mine().header("tenant", "a").await?.as_deref(), Some("a"));
/// assert!(Context::current().is_none(), "only handlers have one");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context {
    request: Arc<RequestContext>,
}

pub(crate) struct RequestContext {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    /// The method's description in the trait; `None` if no server filled the context.
    pub(crate) descriptor: Option<&'static MethodDescriptor>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) headers: UserHeaders,
    pub(crate) caller: Option<SmolStr>,
    pub(crate) redelivered: bool,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) phase: Arc<watch::Receiver<Phase>>,
    /// Whether the method has been called.
    pub(crate) started: AtomicBool,
}

/// The correlation id of the request. Its text is made at the first use.
#[derive(Clone)]
pub(crate) struct CorrelationId {
    id: Option<Id>,
    text: OnceLock<String>,
}

impl CorrelationId {
    pub(crate) fn new(id: Option<Id>) -> Self {
        Self { id, text: OnceLock::new() }
    }

    fn as_text(&self) -> Option<&str> {
        self.id.as_ref().map(|id| self.text.get_or_init(|| id.to_string()).as_str())
    }
}

impl Context {
    pub(crate) fn new(request: RequestContext) -> Self {
        Self { request: Arc::new(request) }
    }

    /// The request that the running handler serves. `None` outside of handlers, and in tasks that a handler spawned
    /// without [`scope`](Self::scope).
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs a future with this context, so that a spawned task has it too.
    ///
    /// ```
    /// # use rpc_runtime::Context;
    /// # async fn handler() {
    /// if let Some(context) = Context::current() {
    ///     tokio::spawn(context.scope(async {
    ///         assert!(Context::current().is_some());
    ///     }));
    /// }
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.scoped(future)
    }

    pub(crate) fn scoped<F: Future>(&self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self.clone(), future)
    }

    /// Runs a plain function with this context.
    pub(crate) fn scope_sync<T>(self, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, run)
    }

    /// The name of the service.
    pub fn service(&self) -> &'static str {
        self.request.service
    }

    /// The name of the method.
    pub fn method(&self) -> &'static str {
        self.request.method
    }

    /// When the caller stops waiting; `None` if the request has no deadline. Calls made by this handler end by then,
    /// too.
    ///
    /// ```
    /// use rpc_runtime::{Broker, Context, rpc_service};
    /// use tokio::time::{Duration, Instant};
    ///
    /// #[rpc_service(timeout = "5s")]
    /// trait Patience {
    ///     async fn left(&self) -> Option<Duration>;
    /// }
    ///
    /// struct OfTheCaller;
    /// impl Patience for OfTheCaller {
    ///     async fn left(&self) -> Option<Duration> {
    ///         Some(Context::current()?.deadline()?.saturating_duration_since(Instant::now()))
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::CallError> {
    /// let client = PatienceClient::new(&Broker::serving(PatienceServer::new(OfTheCaller)));
    /// assert!(client.left().await?.is_some_and(|left| left <= Duration::from_secs(5)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.request.deadline
    }

    /// A header that the caller sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Every header that the caller sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The user that sent the request, as checked by RabbitMQ. `None` if the caller did not
    /// [announce](crate::BrokerBuilder::announce_user) it.
    pub fn caller(&self) -> Option<&str> {
        self.request.caller.as_deref()
    }

    /// Whether the request was delivered before, to a server that may have run it, or was dead-lettered from another
    /// queue.
    pub fn redelivered(&self) -> bool {
        self.request.redelivered
    }

    /// The correlation id of the request, for log lines. An id that is not UTF-8 is shown with escapes such as `\xff`;
    /// the reply carries its original bytes.
    pub fn correlation_id(&self) -> Option<&str> {
        self.request.correlation_id.as_text()
    }

    /// Resolves when nobody waits for the reply any more: at the deadline, or when the server is shutting down and its
    /// grace period has ended.
    ///
    /// ```
    /// # use rpc_runtime::Context;
    /// # async fn next_page() -> Option<String> { None }
    /// async fn print() -> Result<(), String> {
    ///     let context = Context::current().ok_or("not in a handler")?;
    ///     loop {
    ///         tokio::select! {
    ///             page = next_page() => match page {
    ///                 Some(page) => println!("{page}"),
    ///                 None => return Ok(()),
    ///             },
    ///             () = context.cancelled() => return Err("nobody waits any more".to_owned()),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn cancelled(&self) {
        let mut phase = watch::Receiver::clone(&self.request.phase);
        let over = Phase::Over.reached(&mut phase);
        match self.request.deadline {
            None => over.await,
            Some(deadline) => tokio::select! {
                () = over => {}
                () = sleep_until(deadline) => {}
            },
        }
    }

    /// The same request, with the headers and the deadline that a layer has set.
    pub(crate) fn changed(&self, headers: UserHeaders, deadline: Option<Instant>) -> Self {
        let RequestContext {
            service,
            method,
            descriptor,
            caller,
            redelivered,
            correlation_id,
            phase,
            ..
        } = &*self.request;
        Self::new(RequestContext {
            service,
            method,
            descriptor: *descriptor,
            deadline,
            headers,
            caller: caller.clone(),
            redelivered: *redelivered,
            correlation_id: correlation_id.clone(),
            phase: phase.clone(),
            started: AtomicBool::new(true),
        })
    }

    pub(crate) fn descriptor(&self) -> Option<&'static MethodDescriptor> {
        self.request.descriptor
    }

    pub(crate) fn all_headers(&self) -> &UserHeaders {
        &self.request.headers
    }

    /// Records that the method is called now.
    pub(crate) fn start(&self) {
        self.request.started.store(true, Ordering::Relaxed);
    }

    /// Whether the method was called.
    pub(crate) fn has_started(&self) -> bool {
        self.request.started.load(Ordering::Relaxed)
    }

    /// The headers that nested calls pass on.
    pub(crate) fn trace_headers(&self) -> Vec<(String, String)> {
        let traced = |(name, _): &&(String, String)| TRACE_HEADERS.contains(&name.as_str());
        self.request.headers.iter().filter(traced).cloned().collect()
    }
}

// Headers may hold private data.
opaque_debug!(Context, |it|
    service: it.request.service,
    method: it.request.method,
    correlation_id: it.correlation_id(),
    deadline: it.request.deadline,
    redelivered: it.request.redelivered
);
