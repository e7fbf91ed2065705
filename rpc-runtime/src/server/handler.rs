//! A method with its implementation, as the generated code hands it over.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tracing::Span;

use super::meter::Meter;
use crate::{
    causes::opaque_debug,
    codec::{DecodeError, EncodeError, Encoding},
    context::Context,
    contract::{Given, Method, MethodDescriptor, ServiceDescriptor},
    fault::{Fault, FaultKind},
    middleware::{Running, panicked},
    reply::Reply,
    tasks::{BoxFuture, CatchUnwind, boxed},
};

/// A service with its implementation: what `#[rpc_service]` makes of a trait as `XServer`.
///
/// It is sealed: only generated code implements it. A program can name it, to take any service (`impl Dispatch`,
/// `Box<dyn Dispatch>`), and read its [`descriptor`](Self::descriptor).
///
/// ```
/// use rpc_runtime::{Broker, BrokerError, Dispatch, Server};
///
/// async fn serve(broker: &Broker, service: impl Dispatch) -> Result<Server, BrokerError> {
///     println!("serves {}", service.descriptor().name);
///     Server::builder(broker).service(service).start().await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the server of a service",
    label = "not made by `#[rpc_service]`",
    note = "for a service `X` with this implementation, it is `XServer::new(implementation)`"
)]
pub trait Dispatch: GeneratedServer {
    /// What the service is.
    fn descriptor(&self) -> &'static ServiceDescriptor;
}

/// The part of a [`Dispatch`] that is no business of programs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the server of a service",
    label = "not made by `#[rpc_service]`",
    note = "`Dispatch` is sealed: write the service as a trait with `#[rpc_service]`, which makes the server"
)]
pub trait GeneratedServer: Send + Sync + 'static {
    /// The methods, with what runs them.
    fn handlers(&self, _: Internal) -> Vec<Handler>;
}

/// Nobody but this crate can make one, so nobody else can call what takes one.
#[derive(Debug)]
pub struct Internal(());

impl Internal {
    pub(super) fn new() -> Self {
        Self(())
    }
}

/// What a method returned, in bytes, or why it did not.
type Returned = Result<Reply, Fault>;

/// A method with what runs it.
pub struct Handler {
    pub(super) method: &'static MethodDescriptor,
    pub(super) meter: Arc<Meter>,
    run: Box<dyn Fn(Invocation) -> BoxFuture<'static, Returned> + Send + Sync>,
}

/// One call of a method.
pub(super) struct Invocation {
    pub(super) body: Bytes,
    pub(super) encoding: Encoding,
    pub(super) context: Context,
}

/// An `async` method, with its implementation.
pub fn asynchronous<M, S, F, Fut, const FALLIBLE: bool>(
    _method: M,
    service: &Arc<S>,
    call: F,
) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Given<M, FALLIBLE>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = M::Output> + Send + 'static,
{
    let service = service.clone();
    let run = move |invocation: Invocation| {
        let (service, call) = (service.clone(), call.clone());
        boxed(async move {
            let Invocation { body, encoding, .. } = invocation;
            let arguments =
                (M::CODEC.decode)(&body, encoding).map_err(|error| bad_arguments(&error))?;
            drop(body);
            let returned = call(service, arguments).await;
            (M::CODEC.encode)(returned, encoding).map_err(|error| unencodable(&error))
        })
    };
    Handler { method: M::DESCRIPTOR, meter: Arc::default(), run: Box::new(run) }
}

/// A plain method, with its implementation, run on the pool of threads that may block.
pub fn blocking<M, S, F, const FALLIBLE: bool>(_method: M, service: &Arc<S>, call: F) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(&S, Given<M, FALLIBLE>) -> M::Output + Clone + Send + Sync + 'static,
{
    let service = service.clone();
    let run = move |invocation: Invocation| {
        let (service, call) = (service.clone(), call.clone());
        let Invocation { body, encoding, context } = invocation;
        on_blocking_thread(
            context,
            Box::new(move || {
                let arguments =
                    (M::CODEC.decode)(&body, encoding).map_err(|error| bad_arguments(&error))?;
                drop(body);
                (M::CODEC.encode)(call(&service, arguments), encoding)
                    .map_err(|error| unencodable(&error))
            }),
        )
    };
    Handler { method: M::DESCRIPTOR, meter: Arc::default(), run: Box::new(run) }
}

impl Handler {
    /// Decodes, runs and encodes. It never panics.
    ///
    /// What is the same for all methods is done here, where it is compiled once and not for each of them.
    pub(super) fn run(&self, invocation: Invocation) -> Running {
        let context = invocation.context.clone();
        CatchUnwind::new(context.scoped((self.run)(invocation)))
    }
}

opaque_debug!(Handler, |it| method: it.method.name);

/// Boxed before it is spawned: what runs a blocking task is compiled once for each type.
fn on_blocking_thread(
    context: Context,
    method: Box<dyn FnOnce() -> Returned + Send>,
) -> BoxFuture<'static, Returned> {
    let span = Span::current();
    let answer = spawn_blocking(move || {
        let _entered = span.entered();
        context.scope_sync(method)
    });
    // It also fails when the runtime shuts down before it was started.
    boxed(async { answer.await.unwrap_or_else(|_| Err(panicked())) })
}

fn bad_arguments(error: &DecodeError) -> Fault {
    Fault::new(FaultKind::BadArguments, error.in_full())
}

fn unencodable(error: &EncodeError) -> Fault {
    Fault::new(FaultKind::UnencodableReply, error.in_full())
}
