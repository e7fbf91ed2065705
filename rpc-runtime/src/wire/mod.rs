//! The wire format: how requests and replies are written into the properties and headers of messages.

mod content_type;
mod headers;
#[cfg(test)]
mod property_tests;
mod reply;
mod request;
#[cfg(test)]
mod tests;

use self::headers::{FAULT, MESSAGE, RAN, SENT, SIGNATURE, TIMEOUT};
pub(crate) use self::{
    headers::{RESERVED_PREFIX, ROUTING_HEADERS, TRACE_HEADERS, UserHeaders, add_header},
    reply::{
        ReceivedReply, ReturnAddress, fault_in_place_of, read_reply, reply_correlation, write_reply,
    },
    request::{ReceivedRequest, RequestHead, read_request, write_request},
};

/// The durable topic exchange for discovery requests.
pub(crate) const DISCOVERY_EXCHANGE: &str = "rpc.discovery";
