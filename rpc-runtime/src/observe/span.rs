//! Spans, named by OpenTelemetry's conventions for RPC and for messaging.

use std::{borrow::Cow, fmt};

use tracing::{
    Level, Span,
    field::{self, Empty},
    info_span,
    level_filters::LevelFilter,
};
use uuid::Uuid;

use super::Outcome;
use crate::{
    escape::Escaped,
    message::{Id, Message},
    wire::UserHeaders,
};

const SYSTEM: &str = "rabbitmq-rpc";

/// `Service/method`.
struct Called<'a>(&'a str, &'a str);

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

/// An id from a peer, escaped.
fn id(id: Option<&Id>) -> Option<field::DisplayValue<Escaped<&Id>>> {
    id.map(|id| field::display(Escaped::new(id)))
}

/// Where a message goes: `exchange:routing.key`, or the queue.
struct Destination<'a>(&'a str, &'a str);

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() {
            write!(f, "{}:", self.0)?;
        }
        f.write_str(self.1)
    }
}

/// Whether any subscriber may want spans. Checked first, because with tracing's feature `log`, which a dependency may
/// enable, a span's fields are collected even without a subscriber.
fn wanted() -> bool {
    Level::INFO <= LevelFilter::current()
}

/// The fields of a call's span.
pub(crate) struct CallDetails<'a> {
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    /// Empty for the default exchange.
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: Cow<'a, str>,
    pub(crate) message_id: Uuid,
    pub(crate) host: Option<&'a str>,
}

/// The span of a call, from its first poll to its end. `None` if no subscriber wants it; then `details` is not called.
pub(crate) fn call_span<'a>(details: impl FnOnce() -> CallDetails<'a>) -> Option<Span> {
    if !wanted() {
        return None;
    }
    let CallDetails { service, method, exchange, routing_key, message_id, host } = details();
    Some(info_span!(
        "rpc.call",
        otel.name = %Called(service, method),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = SYSTEM,
        rpc.method = %Called(service, method),
        rpc.response.status_code = Empty,
        messaging.system = "rabbitmq",
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = %Destination(exchange, &routing_key),
        messaging.message.id = %message_id,
        messaging.message.conversation_id = Empty,
        server.address = host,
        "error.type" = Empty,
    ))
}

/// Writes this span into the headers of the request, so that the server's span becomes its child.
#[cfg(feature = "opentelemetry")]
pub(crate) fn inject(span: &Span, headers: &mut UserHeaders) {
    super::trace_context::inject(span, headers);
}

#[cfg(not(feature = "opentelemetry"))]
pub(crate) fn inject(_: &Span, _: &mut UserHeaders) {}

/// The span of a request, from its arrival to its reply.
pub(crate) fn request_span<'a>(
    service: &str,
    method: impl Fn() -> &'a str,
    message: &Message,
) -> Span {
    if !wanted() {
        return Span::none();
    }
    let properties = &message.properties;
    let span = info_span!(
        "rpc.request",
        otel.name = %Called(service, method()),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = SYSTEM,
        rpc.method = %Called(service, method()),
        rpc.response.status_code = Empty,
        messaging.system = "rabbitmq",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = %Escaped::new(Destination(&message.exchange, &message.routing_key)),
        messaging.message.id = id(properties.message_id.as_ref()),
        messaging.message.conversation_id = id(properties.correlation_id.as_ref()),
        user.name = properties.user_id.as_ref().map(|user| field::display(Escaped::new(user))),
        "error.type" = Empty,
    );
    #[cfg(feature = "opentelemetry")]
    super::trace_context::follow(&span, &properties.headers);
    span
}

/// Records the outcome.
pub(crate) fn end(span: &Span, outcome: Outcome) {
    if span.is_disabled() {
        return;
    }
    span.record("rpc.response.status_code", outcome.word);
    if outcome.failed {
        span.record("error.type", outcome.word);
        span.record("otel.status_code", "ERROR");
    }
}
