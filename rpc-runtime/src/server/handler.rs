//! A method with its implementation, as the generated code hands it over.

use std::{fmt, future::Future, sync::Arc};

use bytes::Bytes;
use tokio::task::{futures::TaskLocalFuture, spawn_blocking};
use tracing::Span;

use super::{Context, meter::Meter};
use crate::{
    codec::{self, Encoding},
    contract::{
        EncodedReply, MethodDescriptor, Payload, Reply as Returned, ServiceDescriptor, Shape,
    },
    fault::{Fault, FaultKind},
    middleware::Reply,
    tasks::{BoxFuture, CatchUnwind, boxed},
};

/// A service with its implementation: what `#[rpc_service]` makes of a trait as `XServer`.
pub trait Dispatch: Send + Sync + 'static {
    /// What the service is.
    fn descriptor(&self) -> &'static ServiceDescriptor;

    /// Its methods, with what runs them.
    fn handlers(&self) -> Vec<Handler>;
}

/// A method that runs; it resolves to an error if it panics. See [`answer`].
pub(crate) type Running =
    CatchUnwind<TaskLocalFuture<Context, BoxFuture<'static, Result<EncodedReply, Fault>>>>;

/// What a method's end says to its caller.
pub(crate) fn answer(ended: <Running as Future>::Output) -> Reply {
    match ended {
        Ok(Ok(reply)) => reply.into(),
        Ok(Err(fault)) => fault.into(),
        Err(_) => panicked().into(),
    }
}

/// A method with what runs it.
pub struct Handler {
    pub(super) method: &'static MethodDescriptor,
    pub(super) meter: Arc<Meter>,
    run: Box<dyn Fn(Invocation) -> BoxFuture<'static, Result<EncodedReply, Fault>> + Send + Sync>,
}

/// One call of a method.
pub(super) struct Invocation {
    pub(super) body: Bytes,
    pub(super) encoding: Encoding,
    pub(super) context: Context,
}

impl Handler {
    /// An `async` method.
    pub fn asynchronous<S, A, R, F, Fut, const FALLIBLE: bool>(
        method: &'static MethodDescriptor,
        _: Shape<R, FALLIBLE>,
        service: &Arc<S>,
        call: F,
    ) -> Self
    where
        S: Send + Sync + 'static,
        A: Payload,
        R: Returned<FALLIBLE> + Send + 'static,
        F: Fn(Arc<S>, A) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        let service = service.clone();
        let run = move |invocation: Invocation| {
            let (service, call) = (service.clone(), call.clone());
            boxed(async move {
                let Invocation { body, encoding, .. } = invocation;
                let arguments = decode::<A>(&body, method, encoding)?;
                drop(body);
                encode::<R, FALLIBLE>(call(service, arguments).await, encoding)
            })
        };
        Self { method, meter: Arc::default(), run: Box::new(run) }
    }

    /// A plain method, run on the pool of threads that may block.
    pub fn blocking<S, A, R, F, const FALLIBLE: bool>(
        method: &'static MethodDescriptor,
        _: Shape<R, FALLIBLE>,
        service: &Arc<S>,
        call: F,
    ) -> Self
    where
        S: Send + Sync + 'static,
        A: Payload,
        R: Returned<FALLIBLE> + Send + 'static,
        F: Fn(&S, A) -> R + Clone + Send + Sync + 'static,
    {
        let service = service.clone();
        let run = move |invocation: Invocation| {
            let (service, call) = (service.clone(), call.clone());
            let span = Span::current();
            let answer = spawn_blocking(move || {
                let _entered = span.entered();
                let Invocation { body, encoding, context } = invocation;
                context.scope_sync(|| {
                    let arguments = decode::<A>(&body, method, encoding)?;
                    encode::<R, FALLIBLE>(call(&service, arguments), encoding)
                })
            });
            // It also fails when the runtime shuts down before it was started.
            boxed(async { answer.await.unwrap_or_else(|_| Err(panicked())) })
        };
        Self { method, meter: Arc::default(), run: Box::new(run) }
    }

    /// Decodes, runs and encodes. It never panics.
    ///
    /// What is the same for all methods is done here, where it is compiled once and not for each of them.
    pub(super) fn run(&self, invocation: Invocation) -> Running {
        let context = invocation.context.clone();
        CatchUnwind::new(context.scoped((self.run)(invocation)))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("method", &self.method.name).finish_non_exhaustive()
    }
}

fn decode<A: Payload>(
    body: &[u8],
    method: &'static MethodDescriptor,
    encoding: Encoding,
) -> Result<A, Fault> {
    codec::decode_arguments(body, method.arguments, encoding)
        .map_err(|error| Fault::new(FaultKind::BadArguments, error.in_full()))
}

fn encode<R: Returned<FALLIBLE>, const FALLIBLE: bool>(
    answer: R,
    encoding: Encoding,
) -> Result<EncodedReply, Fault> {
    answer
        .encode(encoding)
        .map_err(|error| Fault::new(FaultKind::UnencodableReply, error.in_full()))
}

/// Says nothing of why: what a panic says is the server's own business.
pub(super) fn panicked() -> Fault {
    Fault::new(FaultKind::Panicked, "")
}
