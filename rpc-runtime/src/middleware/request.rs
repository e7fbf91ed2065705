//! Requests, as layers see them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::NextFuture;
use crate::{
    causes::opaque_debug,
    codec::{EncodeError, Encoding},
    context::Context,
    wire::{UserHeaders, add_header},
};

/// A request in the layers: at a client before it is sent, at a server before it is decoded.
///
/// Cloning is cheap, because the body and the headers are shared. If a clone is sent too, the same call is sent twice.
/// A layer that repeats requests must therefore check [`is_idempotent`](Self::is_idempotent) first, or repeat only
/// those that cannot have run.
///
/// ```
/// use rpc_runtime::{Broker, Context, middleware::Request, rpc_service};
/// use tower::ServiceBuilder;
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
/// let broker = Broker::serving(TenantsServer::new(FromHeader));
/// let of_tenant = ServiceBuilder::new().map_request(|mut request: Request| {
///     // Fails if the name is reserved, or if the headers become too large.
///     let _ = request.set_header("tenant", "a");
///     request
/// });
/// let client = TenantsClient::builder(&broker).layer(of_tenant).build();
/// assert_eq!(client.mine().await?.as_deref(), Some("a"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Request {
    /// The service below the layers.
    pub(crate) side: Arc<dyn Side>,
    /// At a server: the context for the handler.
    pub(crate) context: Option<Context>,
    pub(crate) body: Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) deadline: Option<Instant>,
    /// Set if a layer has changed them.
    pub(crate) headers: Option<Arc<UserHeaders>>,
}

/// One side of a connection: a client with its call, or a server with its methods.
pub(crate) trait Side: Send + Sync {
    /// The facts about a request on this side. A server has its context.
    fn meta<'a>(&'a self, context: Option<&'a Context>) -> RequestMeta<'a>;

    /// Handles a request that has passed all layers: sends it, or runs its method.
    fn answer(self: Arc<Self>, request: Request) -> NextFuture;
}

/// The facts about a request that layers can read and not change.
pub(crate) struct RequestMeta<'a> {
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    /// The names of the service and the method, if a trait defines them. Other names would be unbounded.
    pub(crate) labels: (&'static str, &'static str),
    /// Identifies the target: the queue at a client, the service at a server.
    pub(crate) destination: &'a str,
    pub(crate) idempotent: bool,
    pub(crate) oneway: bool,
    pub(crate) cacheable: Option<Duration>,
    pub(crate) headers: &'a UserHeaders,
}

impl Request {
    fn meta(&self) -> RequestMeta<'_> {
        self.side.meta(self.context.as_ref())
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        self.meta().service
    }

    /// The name of the method.
    pub fn method(&self) -> &str {
        self.meta().method
    }

    /// The names of the service and the method, if a trait defines them.
    pub(crate) fn labels(&self) -> (&'static str, &'static str) {
        self.meta().labels
    }

    /// The encoded arguments.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Replaces the arguments. The encoding has to be the same.
    pub fn set_body(&mut self, body: impl Into<Bytes>) {
        self.body = body.into();
    }

    /// The encoding of the arguments.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// When the caller stops waiting. `None` at a server if the caller did not send a deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time until the deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Brings the deadline forward. A later deadline than the current one has no effect.
    pub fn shorten_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(self.deadline.map_or(deadline, |present| present.min(deadline)));
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All headers, except those of the framework.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all_headers().iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets a header, and replaces one of the same name. At a client, the server receives it. At a server, the handler
    /// does.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 255 bytes, begins with `rpc-`, or is `CC` or `BCC`, which RabbitMQ uses for
    /// routing. Or all headers together are larger than 16 KiB. Nothing has changed then.
    pub fn set_header(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), EncodeError> {
        let (name, value) = (name.into(), value.into());
        let mut headers = self.all_headers().clone();
        add_header(&mut headers, name, value)?;
        self.headers = Some(Arc::new(headers));
        Ok(())
    }

    /// At a server: the user that sent the request, if the caller announces it. RabbitMQ has checked it.
    pub fn caller(&self) -> Option<&str> {
        self.context.as_ref()?.caller()
    }

    /// Whether another delivery of the request may already have run. Always `false` at a client.
    pub fn redelivered(&self) -> bool {
        self.context.as_ref().is_some_and(Context::redelivered)
    }

    /// The id by which the caller recognises the reply. At a server, it is set if the caller sent one. At a client it
    /// is `None`, because each attempt gets its own.
    pub fn correlation_id(&self) -> Option<&str> {
        self.context.as_ref()?.correlation_id()
    }

    /// Whether running the request twice has the same effect as running it once. The trait declares it for the method,
    /// or the caller for its call.
    pub fn is_idempotent(&self) -> bool {
        self.meta().idempotent
    }

    /// Whether its caller does not wait for a reply: for a one-way method, or for a call that is only
    /// [sent](crate::Call::send).
    pub fn is_oneway(&self) -> bool {
        self.meta().oneway
    }

    /// How long a cache may keep the result, as the trait declares. `None` if it must not.
    pub fn cacheable(&self) -> Option<Duration> {
        let RequestMeta { oneway, cacheable, .. } = self.meta();
        cacheable.filter(|_| !oneway)
    }

    /// Identifies the target.
    pub(super) fn destination(&self) -> &str {
        self.meta().destination
    }

    fn all_headers(&self) -> &UserHeaders {
        self.headers.as_deref().unwrap_or_else(|| self.meta().headers)
    }
}

// Headers and bodies may be confidential, so `Debug` does not show them.
opaque_debug!(Request, |it|
    service: it.service(),
    method: it.method(),
    correlation_id: it.correlation_id(),
    deadline: it.deadline,
    encoding: it.encoding,
    size: it.body.len()
);
