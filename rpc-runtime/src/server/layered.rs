//! Runs a request through the layers, between the checks of its envelope and its method.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tracing::{debug, field::display};

use super::{Handler, handler::Invocation};
use crate::{
    context::Context,
    escape::Escaped,
    fault::{Fault, FaultKind},
    middleware::{
        BoxError, LayerError, Meaning, Next, NextFuture, Reply, Request, RequestMeta, Running,
        Side, meaning, panicked, reply_of,
    },
    tasks::CatchUnwind,
    wire::UserHeaders,
};

/// The methods of a service, by name.
pub(super) struct Handlers(Vec<Handler>);

impl Handlers {
    pub(super) fn new(mut handlers: Vec<Handler>) -> Self {
        handlers.sort_unstable_by_key(|handler| handler.method.name);
        Self(handlers)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Handler> {
        let found = self.0.binary_search_by_key(&name, |handler| handler.method.name);
        found.ok().map(|at| &self.0[at])
    }
}

/// Replies to a request through the layers of its server. It never panics.
///
/// Only part of it is `async`, to keep the future small: the task of every request has room for it, even without a
/// layer.
pub(super) fn through(
    layers: &Next,
    invocation: Invocation,
    handlers: Arc<Handlers>,
) -> impl Future<Output = Result<Reply, Fault>> + use<> {
    let Invocation { body, encoding, context } = invocation;
    let request = Request {
        side: handlers,
        context: Some(context.clone()),
        body,
        encoding,
        deadline: context.deadline(),
        headers: None,
    };
    let answer = catch_unwind(AssertUnwindSafe(|| layers.answer(request)));
    async move {
        let Ok(answer) = answer else { return Err(panicked()) };
        match CatchUnwind::new(answer).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(refusal(error, &context)),
            Err(_) => Err(panicked()),
        }
    }
}

pin_project! {
    /// A started method, with or without layers. An enum, because a method needs the room of only one variant.
    #[project = StartedProjection]
    pub(super) enum Started<F> {
        Plain { #[pin] running: Running },
        Layered { #[pin] answer: F },
    }
}

impl<F: Future<Output = Result<Reply, Fault>>> Future for Started<F> {
    type Output = Result<Reply, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            StartedProjection::Plain { running } => {
                running.poll(cx).map(|ended| Ok(reply_of(ended)))
            }
            StartedProjection::Layered { answer } => answer.poll(cx),
        }
    }
}

/// The fault that the caller gets for a layer's error. It hides the error's text, which may be confidential.
fn refusal(error: BoxError, context: &Context) -> Fault {
    let started = context.has_started();
    let (kind, message) = match meaning(error) {
        Meaning::Fault(fault) => {
            let ran = fault.may_have_run() || started;
            return fault.ran(ran);
        }
        Meaning::Elapsed => (FaultKind::Expired, "the server gave the request up"),
        Meaning::Overloaded => (FaultKind::Overloaded, "the server has no room for the request"),
        Meaning::Call(error) => failed(error.into(), context),
        Meaning::Other(error) => failed(error, context),
    };
    Fault::new(kind, message).ran(started)
}

/// The error of a layer may quote the request. So its text is not in the fault and only in a log line at DEBUG.
fn failed(error: BoxError, context: &Context) -> (FaultKind, &'static str) {
    let (service, method) = (context.service(), context.method());
    let correlation_id = context.correlation_id().map(|id| display(Escaped::new(id)));
    let error = format!("{:?}", LayerError::new(error, context.has_started(), false));
    debug!(service, method, correlation_id, error = %Escaped::new(error), "a layer failed");
    (FaultKind::Internal, "a layer of the server failed")
}

impl Side for Handlers {
    fn meta<'a>(&'a self, context: Option<&'a Context>) -> RequestMeta<'a> {
        static NONE: UserHeaders = UserHeaders::new();
        let method = context.and_then(Context::descriptor);
        let (service, name) = context.map_or(("", ""), |it| (it.service(), it.method()));
        RequestMeta {
            service,
            method: name,
            labels: (service, name),
            destination: service,
            idempotent: method.is_some_and(|method| method.idempotent),
            oneway: method.is_some_and(|method| method.oneway),
            cacheable: method.and_then(|method| method.cacheable),
            headers: context.map_or(&NONE, Context::all_headers),
        }
    }

    fn answer(self: Arc<Self>, request: Request) -> NextFuture {
        match self.start(request) {
            Ok(running) => NextFuture::method(running),
            Err(error) => NextFuture::failed(error),
        }
    }
}

impl Handlers {
    /// Starts the method itself, below the layers.
    fn start(&self, request: Request) -> Result<Running, BoxError> {
        let Request { context, body, encoding, deadline, headers, .. } = request;
        let known = context.and_then(|context| Some((self.get(context.method())?, context)));
        let Some((handler, mut context)) = known else {
            return Err("the request is for another server".into());
        };
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let fault = Fault::new(FaultKind::Expired, "the deadline passed before the method");
            return Err(fault.into());
        }
        context.start();
        if headers.is_some() || deadline != context.deadline() {
            let headers =
                headers.map_or_else(|| context.all_headers().clone(), Arc::unwrap_or_clone);
            context = context.changed(headers, deadline);
        }
        Ok(handler.run(Invocation { body, encoding, context }))
    }
}
