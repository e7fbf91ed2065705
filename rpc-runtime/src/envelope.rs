//! The wire: how a request and a reply stand in the properties of a message. WIRE.md, in one file.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use smallvec::smallvec;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use uuid::Uuid;

use crate::{
    codec::Encoding,
    cut,
    fault::{Fault, FaultKind},
    message::{Expiration, HeaderValue, Headers, Id, Message, Properties},
};

/// Headers with this prefix are the framework's own.
pub(crate) const RESERVED_PREFIX: &str = "rpc-";
const TIMEOUT: &str = "rpc-timeout-ms";
const SENT: &str = "rpc-sent-ms";
const SIGNATURE: &str = "rpc-signature";
const FAULT: &str = "rpc-fault";
const MESSAGE: &str = "rpc-message";
const RAN: &str = "rpc-ran";

/// Headers by which RabbitMQ routes a message to further queues, spelled just like this: past what a user may write to
/// on 3.10, and to the end of its channel if they are no lists.
pub(crate) const ROUTING_HEADERS: [&str; 2] = ["CC", "BCC"];

/// All headers that users give a request, together.
pub(crate) const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The framework's own headers of a request, which take nothing from the user's.
const OWN_HEADER_BYTES: usize = 128;
/// All headers of a message that arrives. What is larger is measured and not kept.
pub(crate) const MAX_TABLE_BYTES: usize = MAX_HEADER_BYTES + OWN_HEADER_BYTES;
pub(crate) const MAX_HEADER_DEPTH: usize = 32;

/// The longest short string of AMQP, in bytes.
pub(crate) const MAX_SHORT_STRING: usize = 255;

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// The `content_type` of any bytes. Several clients send it by default, so it counts as none.
const ANY_BYTES: &str = "application/octet-stream";

/// The longest word of a fault in its body, in bytes. A layer may pass on the word of another server.
const MAX_WORD: usize = 64;

/// A request as its caller writes it.
#[derive(Debug)]
pub(crate) struct RequestHead<'a> {
    pub(crate) exchange: &'a SmolStr,
    pub(crate) queue: &'a SmolStr,
    pub(crate) method: SmolStr,
    pub(crate) encoding: Encoding,
    /// Sent with bincode alone; the other encodings describe themselves. Empty where it is not known.
    pub(crate) signature: SmolStr,
    pub(crate) correlation_id: Uuid,
    pub(crate) message_id: Uuid,
    /// `None`: one-way.
    pub(crate) reply_to: Option<&'a SmolStr>,
    /// What is left until the deadline.
    pub(crate) remaining: Option<Duration>,
    /// When it is handed to the transport, in milliseconds since the Unix epoch.
    pub(crate) sent: i64,
    pub(crate) persistent: bool,
    pub(crate) priority: Option<u8>,
    pub(crate) user_id: Option<&'a SmolStr>,
    pub(crate) headers: &'a [(String, String)],
}

// Inlined, it writes the message where it is to stand.
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

/// Rounded up, at least 1, and within what RabbitMQ takes for an expiration.
fn milliseconds_left(remaining: Duration) -> u32 {
    let milliseconds = remaining.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds).unwrap_or(u32::MAX).max(1)
}

/// In 32 bits where they are enough, since some clients know no larger integer.
fn timeout_header(milliseconds: u32) -> HeaderValue {
    i32::try_from(milliseconds)
        .map_or_else(|_| HeaderValue::Integer(milliseconds.into()), HeaderValue::Small)
}

/// Where a reply goes, and what it echoes.
#[derive(Debug, Clone)]
pub(crate) struct ReturnAddress {
    queue: SmolStr,
    correlation_id: Option<Id>,
    content_type: Option<SmolStr>,
    /// The encoding of the service.
    own: Encoding,
}

impl ReturnAddress {
    /// Where the answer to this request is wanted; `None` for a one-way request. `own` is the encoding of the service.
    pub(crate) fn of(properties: &Properties, own: Encoding) -> Option<Self> {
        Some(Self {
            queue: properties.reply_to.clone()?,
            correlation_id: properties
                .correlation_id
                .as_ref()
                .or(properties.message_id.as_ref())
                .cloned(),
            content_type: properties.content_type.clone(),
            own,
        })
    }

    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// Whether RabbitMQ named it, or aio-pika (`amq_`): such names are random, so a peer cannot name somebody else's
    /// queue.
    pub(crate) fn is_server_named(&self) -> bool {
        ["amq.gen-", "amq_", DIRECT_REPLY_TO].iter().any(|prefix| self.queue.starts_with(prefix))
    }

    /// The encoding of the request, if it is a known one.
    fn encoding(&self) -> Option<Encoding> {
        match ContentType::of(self.content_type.as_deref()) {
            ContentType::Known(encoding) => Some(encoding),
            ContentType::Missing => unsaid(self.own),
            ContentType::Unknown(_) => None,
        }
    }
}

/// A `content_type`, as far as it is known here.
enum ContentType<'a> {
    Known(Encoding),
    /// There is none, or one that does not name an encoding.
    Missing,
    Unknown(&'a str),
}

impl<'a> ContentType<'a> {
    fn of(written: Option<&'a str>) -> Self {
        let Some(written) = written else { return Self::Missing };
        if let Some(encoding) = Encoding::from_content_type(written) {
            return Self::Known(encoding);
        }
        let essence = written.split(';').next().unwrap_or_default().trim();
        if essence.is_empty() || essence.eq_ignore_ascii_case(ANY_BYTES) {
            return Self::Missing;
        }
        Self::Unknown(written)
    }
}

/// The encoding of a request without `content_type`, at a service of this encoding. Almost any bytes can be read as
/// bincode, so bincode is never assumed.
fn unsaid(own: Encoding) -> Option<Encoding> {
    (own != Encoding::Bincode).then_some(own)
}

/// What a request's properties say, checked.
#[derive(Debug)]
pub(crate) struct ReceivedRequest<'a> {
    /// The method's wire name, if the request says one.
    pub(crate) method: Option<&'a str>,
    pub(crate) encoding: Encoding,
    pub(crate) signature: Option<&'a str>,
    /// What was left until the deadline when the request was sent.
    pub(crate) remaining: Option<Duration>,
    /// When that was, by the caller's clock, in milliseconds since the Unix epoch.
    pub(crate) sent: Option<i64>,
    /// How long the broker let it wait in its queue at most.
    pub(crate) longest_wait: Option<Duration>,
}

/// Reads the properties of a request to a service of this encoding.
///
/// # Errors
///
/// The fault with which it is to be answered.
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

/// Finds the framework's own headers, the first of each name, and checks the bounds of all. Each request comes through
/// here: so one pass does both.
fn read_headers(headers: &[(SmolStr, HeaderValue)]) -> Result<OwnHeaders<'_>, Fault> {
    let (mut own, mut size, mut too_deep) = (OwnHeaders::default(), 0usize, false);
    for (name, value) in headers {
        size = size.saturating_add(name.len()).saturating_add(value.size());
        too_deep |= value.depth() > MAX_HEADER_DEPTH;
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
            "the headers are {size} bytes, where {MAX_HEADER_BYTES} are allowed"
        )));
    }
    if too_deep {
        return Err(malformed(format!(
            "the headers are nested over {MAX_HEADER_DEPTH} levels deep, or are none"
        )));
    }
    Ok(own)
}

/// What clients write of a body that nothing was done to.
const PLAIN_BODIES: [&str; 6] = ["", "utf-8", "utf8", "us-ascii", "binary", "identity"];

fn request_encoding(properties: &Properties, own: Encoding) -> Result<Encoding, Fault> {
    let refused = |what: String| Fault::new(FaultKind::UnsupportedEncoding, what);
    if let Some(written) = properties.content_encoding.as_deref()
        && !PLAIN_BODIES.iter().any(|known| written.eq_ignore_ascii_case(known))
    {
        return Err(refused(format!(
            "content_encoding {written:?} is not spoken here; leave it out, or use \"identity\""
        )));
    }
    let written = properties.content_type.as_deref();
    match ContentType::of(written) {
        ContentType::Known(encoding) => Ok(encoding),
        ContentType::Missing => unsaid(own).ok_or_else(|| {
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
            "content_type {written:?} is not spoken here; use application/x-bincode, \
             application/json or text/plain"
        ))),
    }
}

fn timeout(header: &HeaderValue) -> Result<Duration, Fault> {
    let refused = || malformed(format!("the header `{TIMEOUT}` is not a whole number"));
    match header {
        HeaderValue::Integer(number) => {
            Ok(Duration::from_millis(u64::try_from(*number).unwrap_or(0)))
        }
        HeaderValue::Small(number) => {
            Ok(Duration::from_millis(u64::try_from(*number).unwrap_or(0)))
        }
        HeaderValue::Text(text) => Expiration::from(text.as_str()).time().ok_or_else(refused),
        _ => Err(refused()),
    }
}

/// When the request was sent. A value that is no number is ignored: the request runs without it.
fn sent(header: &HeaderValue) -> Option<i64> {
    match header {
        HeaderValue::Integer(number) => Some(*number),
        HeaderValue::Small(number) => Some((*number).into()),
        HeaderValue::Text(text) => text.trim().parse().ok(),
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

/// What a server answers with.
#[derive(Debug)]
pub(crate) enum Answer {
    Result { body: Bytes, encoding: Encoding },
    Error { body: Bytes, encoding: Encoding },
    Fault(Fault),
}

// Inlined, it writes the message where it is to stand.
#[allow(clippy::inline_always, reason = "with two callers it is not inlined otherwise")]
#[inline(always)]
pub(crate) fn write_reply(address: &ReturnAddress, answer: Answer) -> Message {
    let (kind, body, encoding, headers) = match answer {
        Answer::Result { body, encoding } => ("result", body, Some(encoding), Headers::new()),
        Answer::Error { body, encoding } => ("error", body, Some(encoding), Headers::new()),
        Answer::Fault(fault) => {
            let (body, encoding) = fault_body(&fault, address.encoding());
            ("fault", body, Some(encoding), fault_headers(&fault))
        }
    };
    Message {
        exchange: SmolStr::default(),
        routing_key: address.queue.clone(),
        // Before 4.2 RabbitMQ returns mandatory replies to direct reply-to although it delivered them.
        mandatory: !address.queue.starts_with(DIRECT_REPLY_TO),
        properties: Properties {
            kind: Some(SmolStr::new_static(kind)),
            content_type: encoding.map(|encoding| SmolStr::new_static(encoding.content_type())),
            correlation_id: address.correlation_id.clone(),
            headers,
            ..Properties::default()
        },
        body,
        dropped: 0,
    }
}

/// The fault that goes where a reply was to go which is too large for the broker. A reply that is a fault already goes
/// without its body, which its headers repeat.
pub(crate) fn fault_in_place_of(reply: &Message, fault: Fault) -> Message {
    if reply.properties.kind.as_deref() == Some("fault") {
        return Message { body: Bytes::new(), ..reply.clone() };
    }
    let address = ReturnAddress {
        queue: reply.routing_key.clone(),
        correlation_id: reply.properties.correlation_id.clone(),
        content_type: reply.properties.content_type.clone(),
        own: Encoding::Bincode,
    };
    write_reply(&address, Answer::Fault(fault))
}

/// The body of a fault, for programs that do not read `type`: they would take an empty body for a result. Those that
/// write bincode share this crate.
#[cold]
fn fault_body(fault: &Fault, encoding: Option<Encoding>) -> (Bytes, Encoding) {
    let (word, message) = (cut::prefix(fault.word(), MAX_WORD), fault.message());
    match encoding {
        Some(Encoding::Bincode) => (Bytes::new(), Encoding::Bincode),
        Some(Encoding::Json) => {
            let body = json!({ "err": { "fault": word, "message": message } });
            (body.to_string().into(), Encoding::Json)
        }
        Some(Encoding::Text) | None if message.is_empty() => {
            (format!("fault: {word}").into(), Encoding::Text)
        }
        Some(Encoding::Text) | None => (format!("fault: {word}: {message}").into(), Encoding::Text),
    }
}

fn fault_headers(fault: &Fault) -> Headers {
    let text = |name, value: &str| (SmolStr::new_static(name), HeaderValue::Text(value.into()));
    let mut headers: Headers = smallvec![text(FAULT, fault.word())];
    if !fault.message().is_empty() {
        headers.push(text(MESSAGE, fault.message()));
    }
    if fault.may_have_run() != fault.kind().may_have_run() {
        headers.push((SmolStr::new_static(RAN), HeaderValue::Boolean(fault.may_have_run())));
    }
    headers
}

/// A reply as its caller reads it.
#[derive(Debug)]
pub(crate) enum ReceivedReply {
    Result {
        body: Bytes,
        /// `None`: that of the request.
        encoding: Option<Encoding>,
    },
    Error {
        body: Bytes,
        encoding: Option<Encoding>,
    },
    Fault(Fault),
    /// It says of itself something that this version does not know.
    Unreadable(String),
}

/// Reads a reply.
pub(crate) fn read_reply(properties: &Properties, body: Bytes) -> ReceivedReply {
    let kind = properties.kind.as_deref();
    if kind == Some("fault") {
        return ReceivedReply::Fault(read_fault(properties));
    }
    let encoding = match ContentType::of(properties.content_type.as_deref()) {
        ContentType::Known(encoding) => Some(encoding),
        ContentType::Missing => None,
        ContentType::Unknown(written) => {
            return ReceivedReply::Unreadable(format!(
                "the reply's content_type {written:?} is not spoken here"
            ));
        }
    };
    match kind {
        None | Some("result") => ReceivedReply::Result { body, encoding },
        Some("error") => ReceivedReply::Error { body, encoding },
        Some(other) => ReceivedReply::Unreadable(format!(
            "the reply's type {other:?} is neither result, error nor fault"
        )),
    }
}

fn read_fault(properties: &Properties) -> Fault {
    let text = |name| match properties.header(name) {
        Some(HeaderValue::Text(text)) => text.as_str(),
        _ => "",
    };
    let fault = Fault::with_word(text(FAULT), text(MESSAGE));
    match properties.header(RAN) {
        Some(HeaderValue::Boolean(ran)) => fault.ran(*ran),
        Some(HeaderValue::Text(ran)) => fault.ran(ran.eq_ignore_ascii_case("true")),
        _ => fault,
    }
}

/// The correlation id of a reply, if it is one that this framework can have written.
pub(crate) fn reply_correlation(properties: &Properties) -> Option<Uuid> {
    match properties.correlation_id {
        Some(Id::Uuid(id)) if !id.is_nil() => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
