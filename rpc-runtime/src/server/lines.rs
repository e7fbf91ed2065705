//! Log lines about requests, which a peer can cause at any rate. None shows what a caller wrote but its ids, nor the text of
//! a panic.

use std::{fmt, time::Duration};

use tracing::{Value, field::display, warn};

use crate::{
    context::Context, escape::Escaped, fault::FaultKind, message::Properties, throttle::Throttle,
};

pub(super) struct About<'a> {
    pub(super) service: &'static str,
    pub(super) method: &'a str,
    correlation_id: Option<&'a dyn fmt::Display>,
    caller: Option<&'a str>,
}

impl<'a> About<'a> {
    /// A request that did not pass its checks; `method` is a name of the trait.
    pub(super) fn unchecked(
        service: &'static str,
        method: &'static str,
        properties: &'a Properties,
    ) -> Self {
        let id = properties.correlation_id.as_ref().or(properties.message_id.as_ref());
        Self {
            service,
            method,
            correlation_id: id.map(|id| id as &dyn fmt::Display),
            caller: properties.user_id.as_deref(),
        }
    }

    fn correlation_id(&self) -> Option<impl Value + use<'a>> {
        self.correlation_id.map(|id| display(Escaped::new(id)))
    }
}

/// Where a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Checks,
    Method,
}

/// When the lines of one service were last written: each kind of line at most once a second.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By the kind of the fault.
    refused: [Throttle; FaultKind::COUNT],
    unanswerable: Throttle,
    held: Throttle,
}

impl Lines {
    /// Warns of a refusal that an operator, or the author of a caller, may have to do something about. Requests that came too
    /// late, or to a server that is full, ends or may not run them again, are part of normal work.
    pub(super) fn refused(&self, kind: FaultKind, stage: Stage, about: &About<'_>) {
        let text = match (kind, stage) {
            (FaultKind::Panicked, _) => {
                "a handler panicked; the panic hook of this program has written its message and its place"
            }
            (FaultKind::BadArguments, _) => "refused a request: its arguments cannot be read",
            (FaultKind::Incompatible, _) => {
                "refused a request: its caller has other arguments or another result for this method; \
                 build both from the same trait"
            }
            (FaultKind::UnknownMethod, _) => "refused a request: there is no such method",
            (FaultKind::UnsupportedEncoding, _) => {
                "refused a request: its encoding is not supported"
            }
            (FaultKind::MalformedRequest, _) => {
                "refused a request: its properties or headers are malformed"
            }
            (FaultKind::TooLarge, Stage::Checks) => {
                "refused a request: it is larger than `max_request`"
            }
            (FaultKind::TooLarge, Stage::Method) => {
                "a request ended as too large: its reply is larger than `max_reply`, or a layer refused it"
            }
            (FaultKind::NotPermitted, _) if about.caller.is_none() => {
                "refused a request: it is not permitted, and it does not say which user sent it"
            }
            (FaultKind::NotPermitted, _) => "refused a request: it is not permitted",
            (FaultKind::UnencodableReply, _) => {
                "a method ran, and its result cannot be written in the encoding of its request"
            }
            (FaultKind::Internal, Stage::Checks) => "did not run a request: `authorize` panicked",
            (FaultKind::Internal, Stage::Method) => "a layer failed; its error is logged at DEBUG",
            _ => return,
        };
        let throttle = self.refused.get(kind as usize);
        let Some(left_out) = throttle.and_then(Throttle::pass) else { return };
        let About { service, method, caller, .. } = *about;
        let correlation_id = about.correlation_id();
        let caller = caller.map(|caller| display(Escaped::new(caller)));
        warn!(service, method, correlation_id, caller, left_out, "{text}");
    }

    /// Warns of a request that did not run since this server sends no reply to its `reply_to`. `served`: a reply there would
    /// come back as a request.
    pub(super) fn unanswerable(&self, reply_to: &str, served: bool, about: &About<'_>) {
        let Some(left_out) = self.unanswerable.pass() else { return };
        let About { service, method, caller, .. } = *about;
        let (reply_to, correlation_id) = (Escaped::new(reply_to), about.correlation_id());
        let caller = caller.map(|caller| display(Escaped::new(caller)));
        let text = if served {
            "did not run a request: its reply_to is a queue that this server serves"
        } else {
            "did not run a request: this server does not answer to its reply_to; add it to `only_reply_to`"
        };
        warn!(service, method, correlation_id, caller, %reply_to, left_out, "{text}");
    }

    /// Warns of a handler that computed for so long without a pause.
    #[cold]
    pub(super) fn held(&self, held: Duration, about: &About<'_>) {
        let Some(left_out) = self.held.pass() else { return };
        let About { service, method, .. } = *about;
        warn!(
            service,
            method,
            correlation_id = about.correlation_id(),
            held_ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX),
            left_out,
            "a handler held a thread of the runtime, and whatever else should have run there waited; mark the method \
             `#[rpc(blocking)]`, or move the work to `tokio::task::spawn_blocking`"
        );
    }
}

/// Calls `with` what a line about this request says of it.
pub(super) fn about<T>(context: &Context, with: impl FnOnce(&About<'_>) -> T) -> T {
    let (service, method) = (context.service(), context.method());
    let id = context.correlation_id();
    let correlation_id = id.as_ref().map(|id| id as &dyn fmt::Display);
    with(&About { service, method, correlation_id, caller: context.caller() })
}
