//! Messages of ours to lapin's, and back.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    message::Delivery as LapinDelivery,
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::{
    cut::cut,
    envelope::MAX_SHORT_STRING,
    transport::{Delivery, HeaderValue, Properties},
};

/// Deeper than this, nothing more is measured: it is refused anyway.
const DEEPEST: usize = 64;

/// Names are checked where they come in; this one only never panics, as lapin's does.
pub(super) fn short(mut text: String) -> ShortString {
    cut(&mut text, MAX_SHORT_STRING);
    ShortString::try_new(text).unwrap_or_default()
}

pub(super) fn to_lapin(properties: Properties) -> BasicProperties {
    let mut lapin =
        BasicProperties::default().with_delivery_mode(if properties.persistent { 2 } else { 1 });
    if let Some(kind) = properties.kind {
        lapin = lapin.with_type(short(kind));
    }
    if let Some(content_type) = properties.content_type {
        lapin = lapin.with_content_type(short(content_type));
    }
    if let Some(content_encoding) = properties.content_encoding {
        lapin = lapin.with_content_encoding(short(content_encoding));
    }
    if let Some(correlation_id) = properties.correlation_id {
        lapin = lapin.with_correlation_id(short(correlation_id));
    }
    if let Some(reply_to) = properties.reply_to {
        lapin = lapin.with_reply_to(short(reply_to));
    }
    if let Some(expiration) = properties.expiration {
        lapin = lapin.with_expiration(short(expiration));
    }
    if let Some(message_id) = properties.message_id {
        lapin = lapin.with_message_id(short(message_id));
    }
    if let Some(user_id) = properties.user_id {
        lapin = lapin.with_user_id(short(user_id));
    }
    if let Some(priority) = properties.priority {
        lapin = lapin.with_priority(priority);
    }
    if !properties.headers.is_empty() {
        let mut table = FieldTable::default();
        for (name, value) in properties.headers {
            table.insert(short(name), value_to_lapin(value));
        }
        lapin = lapin.with_headers(table);
    }
    lapin
}

fn value_to_lapin(value: HeaderValue) -> AMQPValue {
    match value {
        HeaderValue::Text(text) => AMQPValue::LongString(text.into()),
        HeaderValue::Integer(number) => AMQPValue::LongLongInt(number),
        HeaderValue::Boolean(flag) => AMQPValue::Boolean(flag),
        HeaderValue::Opaque { .. } => AMQPValue::Void,
    }
}

pub(super) fn from_delivery(delivery: LapinDelivery) -> Delivery {
    Delivery {
        tag: delivery.delivery_tag,
        redelivered: delivery.redelivered,
        exchange: delivery.exchange.into(),
        routing_key: delivery.routing_key.into(),
        properties: from_lapin(&delivery.properties),
        body: Bytes::from(delivery.data),
    }
}

pub(super) fn from_lapin(lapin: &BasicProperties) -> Properties {
    let text = |short: &Option<ShortString>| short.as_ref().map(ToString::to_string);
    let headers = lapin.headers().iter().flat_map(FieldTable::inner);
    Properties {
        kind: text(lapin.kind()),
        content_type: text(lapin.content_type()),
        content_encoding: text(lapin.content_encoding()),
        correlation_id: text(lapin.correlation_id()),
        reply_to: text(lapin.reply_to()),
        expiration: text(lapin.expiration()),
        message_id: text(lapin.message_id()),
        user_id: text(lapin.user_id()),
        priority: *lapin.priority(),
        persistent: *lapin.delivery_mode() == Some(2),
        headers: headers.map(|(name, value)| (name.to_string(), value_from_lapin(value))).collect(),
    }
}

fn value_from_lapin(value: &AMQPValue) -> HeaderValue {
    match value {
        AMQPValue::LongString(bytes) => match std::str::from_utf8(bytes.as_bytes()) {
            Ok(text) => HeaderValue::Text(text.to_owned()),
            Err(_) => HeaderValue::Opaque { size: bytes.len(), depth: 0 },
        },
        AMQPValue::ShortString(text) => HeaderValue::Text(text.to_string()),
        AMQPValue::Boolean(flag) => HeaderValue::Boolean(*flag),
        AMQPValue::ShortShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongLongInt(number) => HeaderValue::Integer(*number),
        other => {
            let (size, depth) = measure(other, 0);
            HeaderValue::Opaque { size, depth }
        }
    }
}

/// Size in bytes, and how many tables or arrays deep.
fn measure(value: &AMQPValue, level: usize) -> (usize, usize) {
    let members: Box<dyn Iterator<Item = (usize, &AMQPValue)>> = match value {
        _ if level > DEEPEST => return (0, level),
        AMQPValue::FieldTable(table) => {
            Box::new(table.inner().iter().map(|(name, value)| (name.as_str().len(), value)))
        }
        AMQPValue::FieldArray(array) => Box::new(array.as_slice().iter().map(|value| (0, value))),
        AMQPValue::LongString(bytes) => return (bytes.len(), level),
        AMQPValue::ShortString(text) => return (text.as_str().len(), level),
        AMQPValue::ByteArray(bytes) => return (bytes.len(), level),
        _ => return (8, level),
    };
    members.fold((0, level + 1), |(size, deepest), (name, value)| {
        let (inner, depth) = measure(value, level + 1);
        (size + name + inner + 1, deepest.max(depth))
    })
}

#[cfg(test)]
mod tests {
    use lapin::types::FieldArray;

    use super::*;

    #[test]
    fn nested_headers_are_measured() {
        let mut value = AMQPValue::LongLongInt(1);
        for _ in 0..40 {
            let mut array = FieldArray::default();
            array.push(value);
            value = AMQPValue::FieldArray(array);
        }
        let HeaderValue::Opaque { depth, size } = value_from_lapin(&value) else {
            panic!("an array is opaque")
        };
        assert_eq!((depth, size), (40, 48));
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_and_never_panics() {
        assert_eq!(short("é".repeat(200)).as_str().len(), 254);
    }
}
