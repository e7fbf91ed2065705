//! Converts messages to lapin's types, and back.

use std::sync::Arc;

use bytes::Bytes;
use lapin::{BasicProperties, message, types::ShortString};

use super::table::{self, short};
use crate::message::{Delivery, Expiration, Id, Message, Properties};

/// Bodies up to this size are kept without asking the handler for its limit.
const SMALL_BODY: usize = 1024 * 1024;

/// rpc-amqp's limit for everything in a message except its body.
const MAX_HEADERS: usize = 1024 * 1024;

pub(super) fn to_lapin(properties: &Properties) -> BasicProperties {
    let mut lapin =
        BasicProperties::default().with_delivery_mode(if properties.persistent { 2 } else { 1 });
    if let Some(kind) = &properties.kind {
        lapin = lapin.with_type(short(kind.as_str()));
    }
    if let Some(content_type) = &properties.content_type {
        lapin = lapin.with_content_type(short(content_type.as_str()));
    }
    if let Some(content_encoding) = &properties.content_encoding {
        lapin = lapin.with_content_encoding(short(content_encoding.as_str()));
    }
    if let Some(correlation_id) = &properties.correlation_id {
        lapin = lapin.with_correlation_id(id_to_lapin(correlation_id));
    }
    if let Some(reply_to) = &properties.reply_to {
        lapin = lapin.with_reply_to(short(reply_to.as_str()));
    }
    if let Some(expiration) = &properties.expiration {
        lapin = lapin.with_expiration(short(expiration.to_string()));
    }
    if let Some(message_id) = &properties.message_id {
        lapin = lapin.with_message_id(id_to_lapin(message_id));
    }
    if let Some(user_id) = &properties.user_id {
        lapin = lapin.with_user_id(short(user_id.as_str()));
    }
    if let Some(priority) = properties.priority {
        lapin = lapin.with_priority(priority);
    }
    if !properties.headers.is_empty() {
        lapin = lapin.with_headers(table::to_lapin(&properties.headers));
    }
    lapin
}

/// lapin's strings are UTF-8, so an id of arbitrary bytes can neither be sent nor received.
fn id_to_lapin(id: &Id) -> ShortString {
    match id {
        Id::Text(text) => short(text.as_str()),
        Id::Uuid(_) | Id::Bytes(_) => short(id.to_string()),
    }
}

/// The properties of a message, and the size of its headers.
fn from_lapin(lapin: &BasicProperties) -> (Properties, usize) {
    let text = |short: &Option<ShortString>| short.as_ref().map(|text| text.as_str().into());
    let id = |short: &Option<ShortString>| short.as_ref().map(|text| Id::from(text.as_str()));
    let (headers, size) = lapin.headers().as_ref().map(table::from_lapin).unwrap_or_default();
    let expiration = lapin.expiration().as_ref();
    let properties = Properties {
        kind: text(lapin.kind()),
        content_type: text(lapin.content_type()),
        content_encoding: text(lapin.content_encoding()),
        correlation_id: id(lapin.correlation_id()),
        reply_to: text(lapin.reply_to()),
        expiration: expiration.map(|text| Expiration::from(text.as_str())),
        message_id: id(lapin.message_id()),
        user_id: text(lapin.user_id()),
        priority: *lapin.priority(),
        persistent: *lapin.delivery_mode() == Some(2),
        headers,
    };
    (properties, size)
}

/// The properties of a returned message.
pub(super) fn returned(message: &message::BasicReturnMessage) -> Properties {
    from_lapin(&message.properties).0
}

/// A received message, or the size of its headers if they are too large. `max_body` returns the largest body to keep.
pub(super) fn delivery(
    delivery: message::Delivery,
    max_body: impl FnOnce() -> usize,
) -> Result<Delivery, (u64, usize)> {
    let (properties, size) = from_lapin(&delivery.properties);
    if size > MAX_HEADERS {
        return Err((delivery.delivery_tag, size));
    }
    let size = delivery.data.len();
    let kept = size <= SMALL_BODY || size <= max_body();
    let (body, dropped) = if kept { (delivery.data.into(), 0) } else { (Bytes::new(), size) };
    let message = Message {
        exchange: delivery.exchange.as_str().into(),
        routing_key: delivery.routing_key.as_str().into(),
        mandatory: false,
        properties,
        body,
        dropped,
    };
    let (tag, redelivered) = (delivery.delivery_tag, delivery.redelivered);
    Ok(Delivery { tag, redelivered, message: Arc::new(message) })
}

#[cfg(test)]
mod tests {
    use lapin::types::AMQPValue;
    use smallvec::smallvec;
    use uuid::Uuid;

    use super::*;
    use crate::message::HeaderValue;

    fn came(body: Vec<u8>) -> message::Delivery {
        message::Delivery::mock(7, "e".into(), "k".into(), true, body)
    }

    #[test]
    fn properties_come_back_as_they_were() {
        let properties = Properties {
            kind: Some("method".into()),
            content_type: Some("a/b".into()),
            content_encoding: Some("utf-8".into()),
            correlation_id: Some(Id::Uuid(Uuid::from_u128(7))),
            reply_to: Some("r".into()),
            expiration: Some(Expiration::Milliseconds(20)),
            message_id: Some("m".into()),
            user_id: Some("ada".into()),
            priority: Some(3),
            persistent: true,
            headers: smallvec![
                ("flag".into(), HeaderValue::Boolean(true)),
                ("number".into(), HeaderValue::Integer(-7)),
                ("text".into(), HeaderValue::Text("é".into())),
            ],
        };
        assert_eq!(from_lapin(&to_lapin(&properties)).0, properties);
        let bare = Properties::default();
        assert_eq!(from_lapin(&to_lapin(&bare)).0, bare);
    }

    #[test]
    fn large_bodies_leave_only_their_size() {
        let small = delivery(came(vec![1; 10]), || 0).unwrap();
        assert_eq!((small.tag, small.redelivered, small.body.len()), (7, true, 10));
        let size = SMALL_BODY + 1;
        assert_eq!(delivery(came(vec![1; size]), || size).unwrap().body.len(), size);
        let large = delivery(came(vec![1; size]), || size - 1).unwrap();
        assert_eq!((large.body.len(), large.dropped), (0, size));
    }

    #[test]
    fn headers_beyond_all_bounds_are_not_read() {
        let mut headers = lapin::types::FieldTable::default();
        headers.insert("h".into(), AMQPValue::LongString(vec![0; MAX_HEADERS].into()));
        let mut large = came(Vec::new());
        large.properties = BasicProperties::default().with_headers(headers);
        assert_eq!(delivery(large, || 0).unwrap_err(), (7, MAX_HEADERS + 1));
    }
}
