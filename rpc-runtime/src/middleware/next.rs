//! How layers are put together, and what is below the last of them.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::{
    task::futures::TaskLocalFuture,
    time::{Instant, timeout_at},
};
use tower::{Layer, Service};

use super::{BoxError, Reply, Request};
use crate::{
    causes::opaque_debug,
    codec::EncodeError,
    context::Context as RequestContext,
    error::CallError,
    fault::{Fault, FaultKind},
    tasks::{BoxFuture, CatchUnwind},
};

/// What a layer wraps: another layer, or the sending of the request, or the method.
///
/// It is always ready, and cheap to clone.
///
/// ```
/// use rpc_runtime::{
///     Broker, CallError, Fault, FaultKind,
///     middleware::{BoxError, Next, Request},
///     rpc_service,
/// };
/// use tower::{Service, layer::layer_fn, service_fn};
///
/// # #[rpc_service]
/// # trait Clock { async fn year(&self) -> u32; async fn wind(&self); }
/// # struct Stopped;
/// # impl Clock for Stopped {
/// #     async fn year(&self) -> u32 { 1926 }
/// #     async fn wind(&self) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CallError> {
/// # let broker = Broker::serving(ClockServer::new(Stopped));
/// let look_only = layer_fn(|next: Next| {
///     service_fn(move |request: Request| {
///         let mut next = next.clone();
///         async move {
///             if request.method() == "wind" {
///                 return Err(BoxError::from(Fault::new(FaultKind::NotPermitted, "only look")));
///             }
///             next.call(request).await
///         }
///     })
/// });
/// let client = ClockClient::builder(&broker).layer(look_only).build();
/// assert_eq!(client.year().await?, 1926);
/// assert!(matches!(client.wind().await, Err(CallError::Refused(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Next(Below);

#[derive(Clone)]
enum Below {
    Wire,
    Method,
    Layers(Arc<dyn Layers>),
}

type Answer = BoxFuture<'static, Result<Reply, BoxError>>;

/// A service, of whatever type.
trait Layers: Send + Sync {
    fn call(&self, request: Request) -> Answer;

    /// The same, given up at a deadline. It is here, and not around it, so that there is one allocation and not two.
    fn call_until(&self, request: Request, deadline: Instant) -> Answer;
}

struct Stack<S>(S);

impl Next {
    /// Below the layers of a client.
    pub(crate) fn wire() -> Self {
        Self(Below::Wire)
    }

    /// Below the layers of a server.
    pub(crate) fn method() -> Self {
        Self(Below::Method)
    }

    /// Puts a layer around it.
    pub(crate) fn wrap<L>(self, layer: &L) -> Self
    where
        L: Layer<Self>,
        L::Service: Service<Request, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Error: Into<BoxError>,
        <L::Service as Service<Request>>::Future: Send,
    {
        Self(Below::Layers(Arc::new(Stack(layer.layer(self)))))
    }

    /// Sends a request through.
    pub(crate) fn answer(&self, request: Request) -> Answer {
        match &self.0 {
            Below::Layers(layers) => layers.call(request),
            Below::Wire | Below::Method => Box::pin(self.clone().call(request)),
        }
    }

    /// Sends a request through, and gives it up at the deadline.
    pub(crate) fn call_until(&self, request: Request, deadline: Instant) -> Answer {
        match &self.0 {
            Below::Layers(layers) => layers.call_until(request, deadline),
            Below::Wire | Below::Method => self.answer(request),
        }
    }
}

impl<S> Layers for Stack<S>
where
    S: Service<Request, Response = Reply> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    fn call(&self, request: Request) -> Answer {
        Box::pin(call(self.0.clone(), request))
    }

    fn call_until(&self, request: Request, deadline: Instant) -> Answer {
        let answer = timeout_at(deadline, call(self.0.clone(), request));
        Box::pin(async move { answer.await? })
    }
}

/// Waits until the service takes the request, as long as somebody waits for the answer, and for its answer.
async fn call<S>(mut service: S, request: Request) -> Result<Reply, BoxError>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
{
    let ready = poll_fn(|cx| service.poll_ready(cx));
    let ready = match request.deadline() {
        Some(deadline) => timeout_at(deadline, ready).await?,
        None => ready.await,
    };
    ready.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

impl Service<Request> for Next {
    type Response = Reply;
    type Error = BoxError;
    type Future = NextFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> NextFuture {
        match (&self.0, &request.context) {
            (Below::Layers(layers), _) => NextFuture::boxed(layers.call(request)),
            (Below::Wire, None) | (Below::Method, Some(_)) => request.side.clone().answer(request),
            (Below::Wire, Some(_)) => {
                let reason = "a request that a server received is none that a client can send";
                let error: CallError = CallError::Encode(EncodeError::because(reason));
                NextFuture::failed(error)
            }
            (Below::Method, None) => NextFuture::failed("a call cannot be served where it is made"),
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = match &self.0 {
            Below::Wire => "the wire",
            Below::Method => "the method",
            Below::Layers(_) => "layers",
        };
        f.debug_tuple("Next").field(&below).finish()
    }
}

/// A method that runs; it resolves to an error if it panics.
pub(crate) type Running =
    CatchUnwind<TaskLocalFuture<RequestContext, BoxFuture<'static, Result<Reply, Fault>>>>;

/// The reply with what a method ended with.
pub(crate) fn reply_of(ended: <Running as Future>::Output) -> Reply {
    match ended {
        Ok(Ok(reply)) => reply,
        Ok(Err(fault)) => fault.into(),
        Err(_) => panicked().into(),
    }
}

/// Says nothing of why: what a panic says is the server's own business.
pub(crate) fn panicked() -> Fault {
    Fault::new(FaultKind::Panicked, "")
}

pin_project! {
    /// The future of [`Next`].
    pub struct NextFuture {
        #[pin]
        kind: Kind,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind {
        Boxed { answer: Answer },
        // Not boxed again: it is a box with little around it.
        Method { #[pin] running: Running },
    }
}

impl NextFuture {
    pub(crate) fn boxed(answer: BoxFuture<'static, Result<Reply, BoxError>>) -> Self {
        Self { kind: Kind::Boxed { answer } }
    }

    pub(crate) fn method(running: Running) -> Self {
        Self { kind: Kind::Method { running } }
    }

    pub(crate) fn failed(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        Self::boxed(Box::pin(async { Err(error) }))
    }
}

impl Future for NextFuture {
    type Output = Result<Reply, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Boxed { answer } => answer.as_mut().poll(cx),
            KindProjection::Method { running } => {
                Poll::Ready(Ok(reply_of(ready!(running.poll(cx)))))
            }
        }
    }
}

opaque_debug!(NextFuture);
