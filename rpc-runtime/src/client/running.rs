//! A call that was polled: on its way, through layers if there are any.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Outgoing, draft::Draft, exchange};
use crate::{
    error::CallError,
    fault::{Fault, FaultKind},
    middleware::{BoxError, LayerError, Meaning, Origin, Reply, meaning},
    transport::BoxFuture,
};

pub(super) enum Running {
    Direct(BoxFuture<'static, Result<Reply, CallError>>),
    Layered { answer: BoxFuture<'static, Result<Reply, BoxError>>, call: Arc<Outgoing> },
}

impl Running {
    pub(super) fn start(draft: Draft) -> Result<Self, CallError> {
        let (request, deadline) = draft.into_request()?;
        let Origin::Call(call) = &request.origin else {
            return Ok(Self::Direct(Box::pin(exchange::run(request))));
        };
        Ok(match &call.client.layers {
            None => Self::Direct(Box::pin(exchange::run(request))),
            Some(layers) => Self::Layered {
                call: call.clone(),
                answer: layers.clone().call_until(request, deadline),
            },
        })
    }
}

impl Future for Running {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Direct(answer) => answer.as_mut().poll(cx),
            Self::Layered { answer, call } => {
                answer.as_mut().poll(cx).map_err(|error| outcome(error, call.may_have_run()))
            }
        }
    }
}

/// How a call ends that its layers ended.
fn outcome(error: BoxError, may_have_run: bool) -> CallError {
    match meaning(error) {
        Meaning::Call(error) => error,
        Meaning::Fault(fault) => refused(fault),
        Meaning::Elapsed => CallError::DeadlineExceeded { may_have_run },
        Meaning::Overloaded => {
            let fault =
                Fault::new(FaultKind::Overloaded, "this client makes as many calls as it may");
            CallError::Refused(fault.ran(may_have_run))
        }
        Meaning::Other(error) => CallError::Layer(LayerError::new(error, may_have_run)),
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
