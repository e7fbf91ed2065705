//! W3C trace context between the spans of this process and the headers of messages.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    message::{HeaderValue, Headers},
    wire::UserHeaders,
};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// Writes this span into the headers, so that the server's span becomes its child. If this span has no parent, it first
/// becomes a child of the span in the headers: the one of the request whose handler makes the call.
pub(super) fn inject(span: &Span, headers: &mut UserHeaders) {
    if span.is_disabled() {
        return;
    }
    if !context_of(&Span::current()).is_valid() {
        let header =
            |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str());
        adopt(span, header(PARENT), header(STATE));
    }
    let context = context_of(span);
    if !context.is_valid() {
        return;
    }
    headers.retain(|(name, _)| name != PARENT && name != STATE);
    let (trace, parent) = (context.trace_id(), context.span_id());
    let flags = context.trace_flags().to_u8();
    headers.push((PARENT.to_owned(), format!("00-{trace}-{parent}-{flags:02x}")));
    let state = context.trace_state().header();
    if !state.is_empty() {
        headers.push((STATE.to_owned(), state));
    }
}

/// Makes a server's span a child of its caller's.
pub(super) fn follow(span: &Span, headers: &Headers) {
    if span.is_disabled() {
        return;
    }
    let header = |name: &str| {
        headers.iter().find_map(|(key, value)| match value {
            HeaderValue::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    };
    adopt(span, header(PARENT), header(STATE));
}

fn context_of(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}

fn adopt(span: &Span, parent: Option<&str>, state: Option<&str>) {
    if let Some(parent) = parent.and_then(|parent| read(parent, state)) {
        // This fails if no subscriber collects spans.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Reads the headers of a caller. Malformed headers are ignored.
fn read(parent: &str, state: Option<&str>) -> Option<SpanContext> {
    let mut parts = parent.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hexadecimal = |text: &str, length: usize| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(digit)
    };
    let valid = hexadecimal(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && hexadecimal(trace, 32)
        && hexadecimal(span, 16)
        && hexadecimal(flags, 2);
    if !valid {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()? & TraceFlags::SAMPLED.to_u8();
    let state = state.filter(|state| state.split(',').all(is_member));
    let state = state.and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags),
        true,
        state,
    );
    context.is_valid().then_some(context)
}

/// Whether a key and a value are present, which the library does not check.
fn is_member(text: &str) -> bool {
    text.trim().split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn valid_headers_are_read() {
        let read = read(&format!("00-{TRACE}-00f067aa0ba902b7-01"), Some("a=1,b=2")).unwrap();
        assert_eq!(read.trace_id().to_string(), TRACE);
        assert_eq!(read.span_id().to_string(), "00f067aa0ba902b7");
        assert!(read.is_sampled() && read.is_remote());
        assert_eq!(read.trace_state().header(), "a=1,b=2");
    }

    #[test]
    fn later_versions_may_have_more_parts() {
        assert!(read(&format!("01-{TRACE}-00f067aa0ba902b7-00-more"), None).is_some());
        assert!(read(&format!("00-{TRACE}-00f067aa0ba902b7-00-more"), None).is_none());
    }

    #[test]
    fn malformed_headers_are_ignored() {
        for parent in [
            "",
            "-",
            "00",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{TRACE}-00f067aa0ba902b-01"),
            &format!("00-{TRACE}-00f067aa0ba902bé-1"),
        ] {
            assert!(read(parent, None).is_none(), "{parent:?}");
        }
        let state_only = read(&format!("00-{TRACE}-00f067aa0ba902b7-01"), Some("=,=")).unwrap();
        assert_eq!(state_only.trace_state().header(), "");
    }
}
