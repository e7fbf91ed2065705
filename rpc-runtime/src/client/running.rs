//! A call that was polled: on its way, through layers if there are any.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    task::{self, Context, Poll},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Outgoing, draft::Draft, exchange::Exchange};
use crate::{
    error::{CallError, LayerError},
    fault::{Fault, FaultKind},
    middleware::{BoxError, CircuitOpen, Meaning, Reply, Request, meaning},
    observe::{self, End, Metered},
    transport::BoxFuture,
};

pub(super) struct Running {
    call: Arc<Outgoing>,
    metered: Option<Metered>,
    way: Way,
}

enum Way {
    Direct(BoxFuture<'static, Result<Reply, CallError>>),
    Layered(BoxFuture<'static, Result<Reply, BoxError>>),
}

impl Way {
    fn start(call: &Arc<Outgoing>, body: Bytes, deadline: Instant) -> Self {
        let encoding = call.client.encoding;
        let Some(layers) = &call.client.layers else {
            let exchange = Exchange::new(call.clone(), body, encoding, deadline);
            return Self::Direct(Box::pin(exchange.run()));
        };
        let request = Request {
            side: call.clone(),
            context: None,
            body,
            encoding,
            deadline: Some(deadline),
            headers: None,
        };
        Self::Layered(layers.call_until(request, deadline))
    }
}

impl Running {
    pub(super) fn start(draft: Draft) -> Self {
        let (call, deadline, body) = draft.start(Instant::now());
        let (service, method) = call.labels();
        let metered = Some(Metered::start(End::Client, service, || method));
        let way = match body {
            Ok(body) => Way::start(&call, body, deadline),
            Err(error) => Way::Direct(Box::pin(ready(Err(error)))),
        };
        Self { call, metered, way }
    }

    pub(super) fn call(&self) -> &Arc<Outgoing> {
        &self.call
    }
}

impl Future for Running {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, metered, way } = &mut *self;
        let _entered = call.span.enter();
        let ended = task::ready!(match way {
            Way::Direct(answer) => answer.as_mut().poll(cx),
            Way::Layered(answer) => {
                answer.as_mut().poll(cx).map_err(|error| outcome(error, call.may_have_run()))
            }
        });
        observe::end(&call.span, (&ended).into());
        if let Some(metered) = metered.take() {
            metered.end((&ended).into());
        }
        Poll::Ready(ended)
    }
}

/// How a call ends that its layers ended.
fn outcome(error: BoxError, may_have_run: bool) -> CallError {
    match meaning(error) {
        Meaning::Call(error) if may_have_run => after_sending(error),
        Meaning::Call(error) => error,
        Meaning::Fault(fault) => {
            let ran = fault.may_have_run() || may_have_run;
            refused(fault.ran(ran))
        }
        Meaning::Elapsed => CallError::DeadlineExceeded { may_have_run },
        Meaning::Overloaded => {
            let fault =
                Fault::new(FaultKind::Overloaded, "this client makes as many calls as it may");
            CallError::Refused(fault.ran(may_have_run))
        }
        Meaning::Other(error) => {
            let passes = error.is::<CircuitOpen>();
            CallError::Layer(LayerError::new(error, may_have_run, passes))
        }
    }
}

/// An error of a call whose request had left. It may be of another sending that did not run, or of another call that a
/// layer made.
fn after_sending(error: CallError) -> CallError {
    match error {
        CallError::Refused(fault) => CallError::Refused(fault.ran(true)),
        CallError::DeadlineExceeded { .. } => CallError::DeadlineExceeded { may_have_run: true },
        CallError::ConnectionLost { .. } => CallError::ConnectionLost { may_have_run: true },
        error if error.may_have_run() => error,
        error => CallError::Layer(LayerError::new(error.into(), true, false)),
    }
}

/// What a fault is to a caller.
pub(super) fn refused(fault: Fault) -> CallError {
    match fault.kind() {
        FaultKind::Panicked => CallError::Panicked,
        FaultKind::Expired => CallError::DeadlineExceeded { may_have_run: fault.may_have_run() },
        _ => CallError::Refused(fault),
    }
}
