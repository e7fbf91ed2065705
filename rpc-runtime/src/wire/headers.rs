//! The headers of a message: the framework's own, and those of users.

use crate::{
    codec::EncodeError,
    message::{MAX_SHORT_STRING, MAX_TABLE_BYTES},
};

/// Headers that users give a request.
pub(crate) type UserHeaders = Vec<(String, String)>;

/// Headers that nested calls pass on automatically: W3C trace context.
pub(crate) const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// Headers with this prefix are the framework's own.
pub(crate) const RESERVED_PREFIX: &str = "rpc-";
pub(super) const TIMEOUT: &str = "rpc-timeout-ms";
pub(super) const SENT: &str = "rpc-sent-ms";
pub(super) const SIGNATURE: &str = "rpc-signature";
pub(super) const FAULT: &str = "rpc-fault";
pub(super) const MESSAGE: &str = "rpc-message";
pub(super) const RAN: &str = "rpc-ran";

/// Headers with which RabbitMQ routes a message to more queues. Their names are case-sensitive. RabbitMQ 3.10 ignores
/// the user's write permissions for these queues, and RabbitMQ closes the channel if such a header is not a list.
pub(crate) const ROUTING_HEADERS: [&str; 2] = ["CC", "BCC"];

/// The most bytes of user headers on one request.
pub(crate) const MAX_HEADER_BYTES: usize = 16 * 1024;
// The framework's own headers do not count towards the limit of users' headers.
const _: () = assert!(MAX_HEADER_BYTES + 128 == MAX_TABLE_BYTES);

/// Adds a header, or fails if it cannot be sent.
pub(crate) fn add_header(
    headers: &mut UserHeaders,
    name: String,
    value: String,
) -> Result<(), EncodeError> {
    if let Some(reason) = refuse_name(&name) {
        return Err(EncodeError::because(reason));
    }
    headers.retain(|(existing, _)| *existing != name);
    headers.push((name, value));
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_HEADER_BYTES {
        let reason = format!("the headers are {size} bytes, but at most {MAX_HEADER_BYTES} fit");
        return Err(EncodeError::because(reason));
    }
    Ok(())
}

fn refuse_name(name: &str) -> Option<String> {
    if name.starts_with(RESERVED_PREFIX) {
        Some(format!("the header `{name}` begins with `{RESERVED_PREFIX}`, which is reserved"))
    } else if ROUTING_HEADERS.contains(&name) {
        Some(format!("the header `{name}` is reserved: RabbitMQ routes messages by it"))
    } else if name.is_empty() || name.len() > MAX_SHORT_STRING {
        Some(format!("a header's name has 1 to {MAX_SHORT_STRING} bytes, this one {}", name.len()))
    } else {
        None
    }
}
