//! Writes a reply into a message, and reads it from one.

use bytes::Bytes;
use serde_json::json;
use smallvec::smallvec;
use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    FAULT, MESSAGE, RAN,
    content_type::{ContentType, encoding_if_missing},
};
use crate::{
    codec::Encoding,
    cut,
    fault::Fault,
    message::{HeaderValue, Headers, Id, Message, Properties},
    reply::Reply,
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// The longest fault word in a body, in bytes. A layer may pass on a fault of another server, whose word may be of any
/// length.
const MAX_WORD: usize = 64;

/// Where a reply goes, and what it copies from the request.
#[derive(Debug, Clone)]
pub(crate) struct ReturnAddress {
    queue: SmolStr,
    correlation_id: Option<Id>,
    content_type: Option<SmolStr>,
    /// The encoding of the service.
    own: Encoding,
}

impl ReturnAddress {
    /// Where to send the reply to this request; `None` for a one-way request. `own` is the encoding of the service.
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

    /// Whether RabbitMQ or aio-pika (`amq_`) generated the queue's name. Such names are random, so a peer cannot guess
    /// the queue of another caller.
    pub(crate) fn is_server_named(&self) -> bool {
        ["amq.gen-", "amq_", DIRECT_REPLY_TO].iter().any(|prefix| self.queue.starts_with(prefix))
    }

    /// The encoding of the request, if it is a known one.
    fn encoding(&self) -> Option<Encoding> {
        match ContentType::of(self.content_type.as_deref()) {
            ContentType::Known(encoding) => Some(encoding),
            ContentType::Missing => encoding_if_missing(self.own),
            ContentType::Unknown(_) => None,
        }
    }
}

// Inlining lets it write the message directly to its destination.
#[allow(clippy::inline_always, reason = "with two callers it is not inlined otherwise")]
#[inline(always)]
pub(crate) fn write_reply(address: &ReturnAddress, reply: Reply) -> Message {
    let (kind, body, encoding, headers) = match reply {
        Reply::Result { body, encoding } => ("result", body, Some(encoding), Headers::new()),
        Reply::Error { body, encoding } => ("error", body, Some(encoding), Headers::new()),
        Reply::Fault(fault) => {
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

/// Makes the fault that replaces a reply that is too large for the broker. If the reply is a fault already, it only
/// loses its body, whose content is in the headers, too.
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
    write_reply(&address, Reply::Fault(fault))
}

/// The body of a fault, for programs that do not read `type` and would take an empty body for a result. For bincode it
/// is empty, because those callers use this crate.
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
        /// `None` means the encoding of the request.
        encoding: Option<Encoding>,
    },
    Error {
        body: Bytes,
        encoding: Option<Encoding>,
    },
    Fault(Fault),
    /// It has a `type` or a `content_type` that this version does not know.
    Unreadable(String),
}

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
                "the reply's content_type {written:?} is not supported"
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

/// The correlation id of a reply, if this framework may have generated it.
pub(crate) fn reply_correlation(properties: &Properties) -> Option<Uuid> {
    match properties.correlation_id {
        Some(Id::Uuid(id)) if !id.is_nil() => Some(id),
        _ => None,
    }
}
