//! A method with its implementation, as the generated code provides it.

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

/// A service with its implementation. `#[rpc_service]` generates one for a trait, as `XServer`.
///
/// The trait is sealed: only generated code implements it. A program can name it to accept any service (`impl
/// Dispatch`, `Box<dyn Dispatch>`), and read its [`descriptor`](Self::descriptor).
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
    /// The description of the service.
    fn descriptor(&self) -> &'static ServiceDescriptor;
}

/// The part of a [`Dispatch`] that programs do not use.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the server of a service",
    label = "not made by `#[rpc_service]`",
    note = "`Dispatch` is sealed: write the service as a trait with `#[rpc_service]`, which makes the server"
)]
pub trait GeneratedServer: Send + Sync + 'static {
    /// The methods with their implementations.
    fn handlers(&self, _: Internal) -> Vec<Handler>;
}

/// Only this crate can make one, so only this crate can call functions that take one.
#[derive(Debug)]
pub struct Internal(());

impl Internal {
    pub(super) fn new() -> Self {
        Self(())
    }
}

/// The encoded reply of a method, or its fault.
type Returned = Result<Reply, Fault>;

/// A method with its implementation.
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

/// A handler for an `async` method.
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

/// A handler for a plain function. It runs on the thread pool for blocking work.
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
    /// Decodes the arguments, runs the method and encodes the result. It never panics.
    ///
    /// Code that is the same for all methods is here, so that it is compiled once and not for each method.
    pub(super) fn run(&self, invocation: Invocation) -> Running {
        let context = invocation.context.clone();
        CatchUnwind::new(context.scoped((self.run)(invocation)))
    }
}

opaque_debug!(Handler, |it| method: it.method.name);

/// Boxed before it is spawned, because tokio's code for a blocking task is compiled once for each type.
fn on_blocking_thread(
    context: Context,
    method: Box<dyn FnOnce() -> Returned + Send>,
) -> BoxFuture<'static, Returned> {
    let span = Span::current();
    let answer = spawn_blocking(move || {
        let _entered = span.entered();
        context.scope_sync(method)
    });
    // An error also means that the runtime shut down before the task started.
    boxed(async { answer.await.unwrap_or_else(|_| Err(panicked())) })
}

fn bad_arguments(error: &DecodeError) -> Fault {
    Fault::new(FaultKind::BadArguments, error.in_full())
}

fn unencodable(error: &EncodeError) -> Fault {
    Fault::new(FaultKind::UnencodableReply, error.in_full())
}
