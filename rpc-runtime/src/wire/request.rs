//! Writes a request into a message, and reads it from one.

use std::time::Duration;

use bytes::Bytes;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use uuid::Uuid;

use super::{
    SENT, SIGNATURE, TIMEOUT,
    content_type::{ContentType, encoding_if_missing},
    headers::MAX_HEADER_BYTES,
};
use crate::{
    codec::Encoding,
    fault::{Fault, FaultKind},
    message::{Expiration, HeaderValue, Id, MAX_TABLE_BYTES, MAX_TABLE_DEPTH, Message, Properties},
};

/// What a caller writes into a request.
#[derive(Debug)]
pub(crate) struct RequestHead<'a> {
    pub(crate) exchange: &'a SmolStr,
    pub(crate) queue: &'a SmolStr,
    pub(crate) method: SmolStr,
    pub(crate) encoding: Encoding,
    /// Only sent with bincode, because the other encodings describe themselves. Empty if it is unknown.
    pub(crate) signature: SmolStr,
    pub(crate) correlation_id: Uuid,
    pub(crate) message_id: Uuid,
    /// `None` for a one-way request.
    pub(crate) reply_to: Option<&'a SmolStr>,
    /// The time left until the deadline.
    pub(crate) remaining: Option<Duration>,
    /// When it is handed to the transport, in milliseconds since the Unix epoch.
    pub(crate) sent: i64,
    pub(crate) persistent: bool,
    pub(crate) priority: Option<u8>,
    pub(crate) user_id: Option<&'a SmolStr>,
    pub(crate) headers: &'a [(String, String)],
}

// Inlining lets it write the message directly to its destination.
#[inline]
pub(crate) fn write_request(head: RequestHead<'_>, body: Bytes) -> Message {
    let remaining = head.remaining.map(milliseconds_left);
    let routing_key = if head.exchange.is_empty() {
        head.queue.clone()
    } else {
        format_smolstr!("{}.{}", head.queue, head.method)
    };
    let mut message = Message {
        exchange: head.exchange.clone(),
        routing_key,
        mandatory: true,
        properties: Properties {
            kind: Some(head.method),
            content_type: Some(SmolStr::new_static(head.encoding.content_type())),
            correlation_id: Some(Id::Uuid(head.correlation_id)),
            reply_to: head.reply_to.cloned(),
            expiration: remaining.map(Expiration::Milliseconds),
            message_id: Some(Id::Uuid(head.message_id)),
            user_id: head.user_id.cloned(),
            priority: head.priority,
            persistent: head.persistent,
            ..Properties::default()
        },
        body,
        dropped: 0,
    };
    let headers = &mut message.properties.headers;
    if let Some(milliseconds) = remaining {
        headers.push((SmolStr::new_static(TIMEOUT), timeout_header(milliseconds)));
    }
    headers.push((SmolStr::new_static(SENT), HeaderValue::Integer(head.sent)));
    if head.encoding == Encoding::Bincode && !head.signature.is_empty() {
        headers.push((SmolStr::new_static(SIGNATURE), HeaderValue::Text(head.signature)));
    }
    for (name, value) in head.headers {
        headers.push((name.into(), HeaderValue::Text(value.into())));
    }
    message
}

/// Rounded up, at least 1, and at most the largest expiration that RabbitMQ accepts.
fn milliseconds_left(remaining: Duration) -> u32 {
    let milliseconds = remaining.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds).unwrap_or(u32::MAX).max(1)
}

/// Uses 32 bits if they are enough, because some clients cannot read larger integers.
pub(super) fn timeout_header(milliseconds: u32) -> HeaderValue {
    i32::try_from(milliseconds)
        .map_or_else(|_| HeaderValue::Integer(milliseconds.into()), HeaderValue::Small)
}

/// The checked properties of a request.
#[derive(Debug)]
pub(crate) struct ReceivedRequest<'a> {
    /// The method's wire name, if the request has one.
    pub(crate) method: Option<&'a str>,
    pub(crate) encoding: Encoding,
    pub(crate) signature: Option<&'a str>,
    /// The time that was left until the deadline when the request was sent.
    pub(crate) remaining: Option<Duration>,
    /// When the request was sent, by the caller's clock, in milliseconds since the Unix epoch.
    pub(crate) sent: Option<i64>,
    /// The longest time that the broker may have kept it in its queue.
    pub(crate) longest_wait: Option<Duration>,
}

/// Reads the properties of a request to a service of this encoding.
///
/// # Errors
///
/// The fault to reply with.
pub(crate) fn read_request(
    properties: &Properties,
    service: Encoding,
) -> Result<ReceivedRequest<'_>, Fault> {
    let own = read_headers(&properties.headers)?;
    let longest_wait = expiration(properties)?;
    let remaining = [own.timeout.map(timeout).transpose()?, longest_wait];
    Ok(ReceivedRequest {
        method: properties.kind.as_deref(),
        encoding: request_encoding(properties, service)?,
        signature: match own.signature {
            None => None,
            Some(HeaderValue::Text(signature)) => Some(signature),
            Some(_) => return Err(malformed(format!("the header `{SIGNATURE}` is not a string"))),
        },
        remaining: remaining.into_iter().flatten().min(),
        sent: own.sent.and_then(sent),
        longest_wait,
    })
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::MalformedRequest, message)
}

/// The framework's own headers of a request.
#[derive(Default)]
struct OwnHeaders<'a> {
    timeout: Option<&'a HeaderValue>,
    sent: Option<&'a HeaderValue>,
    signature: Option<&'a HeaderValue>,
}

/// Finds the framework's own headers (the first of each name), and checks the limits of all headers. It runs for each
/// request, so one pass does both.
fn read_headers(headers: &[(SmolStr, HeaderValue)]) -> Result<OwnHeaders<'_>, Fault> {
    let (mut own, mut size, mut too_deep) = (OwnHeaders::default(), 0usize, false);
    for (name, value) in headers {
        size = size.saturating_add(name.len()).saturating_add(value.size());
        too_deep |= value.depth() > MAX_TABLE_DEPTH;
        let place = match name.as_str() {
            TIMEOUT => &mut own.timeout,
            SENT => &mut own.sent,
            SIGNATURE => &mut own.signature,
            _ => continue,
        };
        place.get_or_insert(value);
    }
    if size > MAX_TABLE_BYTES {
        return Err(malformed(format!(
            "the headers are {size} bytes, but at most {MAX_HEADER_BYTES} are allowed"
        )));
    }
    if too_deep {
        return Err(malformed(format!(
            "the headers are nested more than {MAX_TABLE_DEPTH} levels deep, or are malformed"
        )));
    }
    Ok(own)
}

/// The values of `content_encoding` that clients send for a body that is neither compressed nor encoded.
const PLAIN_BODIES: [&str; 6] = ["", "utf-8", "utf8", "us-ascii", "binary", "identity"];

fn request_encoding(properties: &Properties, own: Encoding) -> Result<Encoding, Fault> {
    let refused = |what: String| Fault::new(FaultKind::UnsupportedEncoding, what);
    if let Some(written) = properties.content_encoding.as_deref()
        && !PLAIN_BODIES.iter().any(|plain| written.eq_ignore_ascii_case(plain))
    {
        return Err(refused(format!(
            "content_encoding {written:?} is not supported; leave it out, or use \"identity\""
        )));
    }
    let written = properties.content_type.as_deref();
    match ContentType::of(written) {
        ContentType::Known(encoding) => Ok(encoding),
        ContentType::Missing => encoding_if_missing(own).ok_or_else(|| {
            let which = written.map_or_else(
                || "content_type is missing".to_owned(),
                |written| format!("content_type is missing ({written:?} names no encoding)"),
            );
            refused(format!(
                "{which}; set it to application/json for a body in JSON, to text/plain for plain text, or to \
                 application/x-bincode for bincode"
            ))
        }),
        ContentType::Unknown(written) => Err(refused(format!(
            "content_type {written:?} is not supported; use application/x-bincode, \
             application/json or text/plain"
        ))),
    }
}

pub(super) fn timeout(header: &HeaderValue) -> Result<Duration, Fault> {
    let refused = || malformed(format!("the header `{TIMEOUT}` is not a whole number"));
    match (integer(header), header) {
        (Some(number), _) => Ok(Duration::from_millis(u64::try_from(number).unwrap_or(0))),
        (_, HeaderValue::Text(text)) => Expiration::from(text.as_str()).time().ok_or_else(refused),
        _ => Err(refused()),
    }
}

/// When the request was sent. A value that is not a number is ignored, and the request runs without it.
fn sent(header: &HeaderValue) -> Option<i64> {
    match header {
        HeaderValue::Text(text) => text.trim().parse().ok(),
        number => integer(number),
    }
}

fn integer(header: &HeaderValue) -> Option<i64> {
    match header {
        HeaderValue::Integer(number) => Some(*number),
        HeaderValue::Small(number) => Some((*number).into()),
        _ => None,
    }
}

fn expiration(properties: &Properties) -> Result<Option<Duration>, Fault> {
    let time = |expiration: &Expiration| {
        expiration.time().ok_or_else(|| {
            let text = expiration.to_smolstr();
            malformed(format!("the expiration {text:?} is not a whole number"))
        })
    };
    properties.expiration.as_ref().map(time).transpose()
}
