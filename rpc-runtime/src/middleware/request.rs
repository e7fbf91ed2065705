//! What goes out, or comes in.

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

/// A request on its way: at the client before it is sent, at the server before it is decoded.
///
/// It is cheap to clone: its body and its headers are shared. A clone that is sent too is another sending of the same
/// call, so a layer that repeats requests asks [`is_idempotent`](Self::is_idempotent) first, or repeats only what cannot
/// have run.
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
///     // Fails for names that are reserved, and where there is no more room.
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
    /// What answers it below the layers.
    pub(crate) side: Arc<dyn Side>,
    /// At a server: what its handler will know of it.
    pub(crate) context: Option<Context>,
    pub(crate) body: Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) deadline: Option<Instant>,
    /// Where a layer has changed them.
    pub(crate) headers: Option<Arc<UserHeaders>>,
}

/// The end of a connection that a request is at: a client with its call, or a server with its methods.
pub(crate) trait Side: Send + Sync {
    /// What this side knows of a request; a server has its context.
    fn meta<'a>(&'a self, context: Option<&'a Context>) -> RequestMeta<'a>;

    /// Answers a request that has passed all layers: sends it, or runs its method.
    fn answer(self: Arc<Self>, request: Request) -> NextFuture;
}

/// What layers can know of a request, beside what they can change.
pub(crate) struct RequestMeta<'a> {
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    /// The names of the service and the method where a trait has them; others would be without bound.
    pub(crate) labels: (&'static str, &'static str),
    /// What stands for the servers that it goes to: their queue; at a server, its service.
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

    /// The names of the service and the method where a trait has them.
    pub(crate) fn labels(&self) -> (&'static str, &'static str) {
        self.meta().labels
    }

    /// The arguments, encoded.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Puts other arguments in their place, in the same encoding.
    pub fn set_body(&mut self, body: impl Into<Bytes>) {
        self.body = body.into();
    }

    /// How the arguments are encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// When the caller stops waiting; `None` at a server whose caller does not say.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What is left until the deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Brings the deadline forward; a later one than the present one changes nothing.
    pub fn shorten_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(self.deadline.map_or(deadline, |present| present.min(deadline)));
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every header, other than those of the framework.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all_headers().iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a header, in place of one of the same name if there is one. A client's reaches the server, a server's the
    /// handler.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 255 bytes, begins with `rpc-`, or is `CC` or `BCC`, by which RabbitMQ routes; or all headers together have more than 16 KiB.
    /// Nothing has changed then.
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

    /// The user that the request came from, which RabbitMQ has checked: at a server, if the caller says it.
    pub fn caller(&self) -> Option<&str> {
        self.context.as_ref()?.caller()
    }

    /// Whether a server had it before, which may have run it; never at a client.
    pub fn redelivered(&self) -> bool {
        self.context.as_ref().is_some_and(Context::redelivered)
    }

    /// What the caller recognises its answer by: at a server, if the caller says it. At a client each sending has its own.
    pub fn correlation_id(&self) -> Option<&str> {
        self.context.as_ref()?.correlation_id()
    }

    /// Whether running it twice is the same as running it once, by what the trait says of the method, or the caller of
    /// its call.
    pub fn is_idempotent(&self) -> bool {
        self.meta().idempotent
    }

    /// Whether its caller waits for no answer: of a one-way method, or of a call that is only
    /// [sent](crate::Call::send).
    pub fn is_oneway(&self) -> bool {
        self.meta().oneway
    }

    /// How long a cache may answer in place of the method, by what the trait says; `None` if none may.
    pub fn cacheable(&self) -> Option<Duration> {
        let RequestMeta { oneway, cacheable, .. } = self.meta();
        cacheable.filter(|_| !oneway)
    }

    /// What stands for the servers that it goes to.
    pub(super) fn destination(&self) -> &str {
        self.meta().destination
    }

    fn all_headers(&self) -> &UserHeaders {
        self.headers.as_deref().unwrap_or_else(|| self.meta().headers)
    }
}

// Headers and bodies may hold what is nobody else's business.
opaque_debug!(Request, |it|
    service: it.service(),
    method: it.method(),
    correlation_id: it.correlation_id(),
    deadline: it.deadline,
    encoding: it.encoding,
    size: it.body.len()
);
