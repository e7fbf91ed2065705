//! Any properties are either read or refused, and everything that is written is read back unchanged.

use std::time::Duration;

use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use smol_str::SmolStr;
use uuid::Uuid;

use super::*;
use crate::{
    codec::Encoding,
    fault::Fault,
    message::{DEATHS, Expiration, HeaderValue, Id, Message, Properties},
    reply::Reply,
};

/// Random text, and values that have a meaning to the reader.
fn text() -> impl Strategy<Value = String> {
    let meaningful = prop::sample::select(vec![
        "",
        " ",
        "result",
        "error",
        "fault",
        "application/json",
        "Application/JSON;charset=utf-8",
        "application/x-bincode",
        "text/plain",
        "application/octet-stream",
        "utf-8",
        "identity",
        "gzip",
        "0",
        " 60000 ",
        "-1",
        "+5",
        "1e3",
        "9223372036854775807",
        "9223372036854775808",
        "panicked",
        "outcome-unknown",
        "true",
        "amq.gen-x",
        "amq.rabbitmq.reply-to.x",
        "00000000-0000-0000-0000-000000000000",
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "67E55044-10B1-426F-9247-BB680E5FE0C8",
        "67e5504410b1426f9247bb680e5fe0c8",
    ]);
    prop_oneof![
        3 => meaningful.prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (any::<char>(), 0..2_000usize).prop_map(|(long, times)| long.to_string().repeat(times)),
    ]
}

fn header() -> impl Strategy<Value = (SmolStr, HeaderValue)> {
    let names =
        [TIMEOUT, SENT, SIGNATURE, FAULT, MESSAGE, RAN, "", DEATHS, "CC", "rpc-", "traceparent"];
    let name = prop_oneof![
        2 => prop::sample::select(names.to_vec()).prop_map(str::to_owned),
        1 => text(),
    ];
    let opaque = (any::<usize>(), any::<usize>())
        .prop_map(|(size, depth)| HeaderValue::Opaque { size, depth });
    let deaths = (any::<u32>(), any::<u8>(), any::<bool>())
        .prop_map(|(size, depth, expired)| HeaderValue::Deaths { size, depth, expired });
    let value = prop_oneof![
        deaths,
        text().prop_map(|text| HeaderValue::Text(text.into())),
        any::<i64>().prop_map(HeaderValue::Integer),
        any::<bool>().prop_map(HeaderValue::Boolean),
        opaque,
    ];
    (name.prop_map(SmolStr::from), value)
}

fn properties() -> impl Strategy<Value = Properties> {
    let texts = prop::array::uniform6(option::of(text().prop_map(SmolStr::from)));
    let ids = prop::array::uniform2(option::of(text().prop_map(|id| Id::from(id.as_str()))));
    (texts, ids, option::of(any::<u8>()), any::<bool>(), vec(header(), 0..6)).prop_map(
        |(texts, [correlation_id, message_id], priority, persistent, headers)| {
            let [kind, content_type, content_encoding, reply_to, expiration, user_id] = texts;
            Properties {
                kind,
                content_type,
                content_encoding,
                correlation_id,
                reply_to,
                expiration: expiration.map(|text| Expiration::from(text.as_str())),
                message_id,
                user_id,
                priority,
                persistent,
                headers: headers.into(),
            }
        },
    )
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop::sample::select(vec![Encoding::Bincode, Encoding::Json, Encoding::Text])
}

fn fault() -> impl Strategy<Value = Fault> {
    (text(), text(), any::<bool>())
        .prop_map(|(word, message, ran)| Fault::with_word(word, message).ran(ran))
}

proptest! {
    // Few cases, to be quick. The targets in fuzz/ try millions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_request_is_read_or_refused(properties in properties(), own in encoding()) {
        match read_request(&properties, own) {
            Ok(request) => {
                let declared = properties.content_type.as_deref().and_then(Encoding::from_content_type);
                prop_assert!(request.encoding == declared.unwrap_or(own));
                prop_assert!(declared.is_some() || own != Encoding::Bincode, "bincode is never assumed");
                prop_assert_eq!(request.method, properties.kind.as_deref());
                let bounded = |value: &HeaderValue| {
                    value.size() <= crate::message::MAX_TABLE_BYTES
                        && value.depth() <= crate::message::MAX_TABLE_DEPTH
                };
                let all = properties.headers.iter().all(|(_, value)| bounded(value));
                prop_assert!(all, "{:?}", properties.headers);
            }
            Err(fault) => {
                prop_assert!(!fault.may_have_run() && fault.message().len() <= 1024, "{}", fault);
            }
        }
    }

    #[test]
    fn any_reply_is_read(properties in properties(), body: Vec<u8>) {
        let kind = properties.kind.clone();
        if let Some(id) = reply_correlation(&properties) {
            prop_assert_eq!(Some(Id::Uuid(id)), properties.correlation_id.clone());
        }
        let message = Message { properties, body: body.clone().into(), ..Message::default() };
        match read_reply(&message.properties, message.body) {
            ReceivedReply::Result { body: read, .. } => {
                prop_assert!(read == body && matches!(kind.as_deref(), None | Some("result")));
            }
            ReceivedReply::Error { body: read, .. } => {
                prop_assert!(read == body && kind.as_deref() == Some("error"));
            }
            ReceivedReply::Fault(_) => prop_assert_eq!(kind.as_deref(), Some("fault")),
            ReceivedReply::Unreadable(_) => prop_assert_ne!(kind.as_deref(), Some("fault")),
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written(
        (queue, method, signature) in ("[a-z.]{1,20}", "[A-Za-z0-9_-]{1,64}", "[0-9a-f]{16}"),
        encoding in encoding(),
        (correlation_id, message_id) in (any::<u128>(), any::<u128>()),
        reply_to in option::of(text().prop_map(SmolStr::from)),
        (remaining, sent_at) in (option::of(any::<std::time::Duration>()), any::<i64>()),
        headers in vec(("[a-z]{1,10}", text()), 0..3),
        body: Vec<u8>,
    ) {
        prop_assume!(headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() < 16_000);
        let (exchange, queue) = (SmolStr::default(), SmolStr::from(queue));
        let head = RequestHead {
            exchange: &exchange,
            queue: &queue,
            method: method.as_str().into(),
            encoding,
            signature: signature.as_str().into(),
            correlation_id: Uuid::from_u128(correlation_id),
            message_id: Uuid::from_u128(message_id),
            reply_to: reply_to.as_ref(),
            remaining,
            sent: sent_at,
            persistent: false,
            priority: None,
            user_id: None,
            headers: &headers,
        };
        let sent = write_request(head, body.clone().into());
        prop_assert_eq!(&sent.body[..], &body[..]);
        let read = read_request(&sent.properties, encoding).unwrap();
        prop_assert_eq!(read.method, Some(&method[..]));
        prop_assert_eq!(read.encoding, encoding);
        prop_assert_eq!(read.signature, (encoding == Encoding::Bincode).then_some(&signature[..]));
        prop_assert_eq!(read.sent, Some(sent_at));
        prop_assert_eq!(read.remaining.is_some(), remaining.is_some());
        if let (Some(read), Some(written)) = (read.remaining, remaining) {
            let longest = Duration::from_millis(u32::MAX.into());
            prop_assert!(read >= written.min(longest), "a deadline is not cut short");
            prop_assert!(read <= written + Duration::from_millis(1));
        }
        let address = ReturnAddress::of(&sent.properties, encoding);
        prop_assert_eq!(address.as_ref().map(ReturnAddress::queue), reply_to.as_deref());
    }

    #[test]
    fn a_reply_is_read_as_it_was_written(
        request in properties(),
        encoding in encoding(),
        fault in fault(),
        body: Vec<u8>,
        which in 0..3,
    ) {
        let Some(address) = ReturnAddress::of(&request, encoding) else { return Ok(()) };
        let bytes = Bytes::from(body);
        let reply = match which {
            0 => Reply::Result { body: bytes.clone(), encoding },
            1 => Reply::Error { body: bytes.clone(), encoding },
            _ => Reply::Fault(fault.clone()),
        };
        let sent = write_reply(&address, reply);
        prop_assert_eq!(&sent.routing_key, request.reply_to.as_ref().unwrap());
        let echoed = request.correlation_id.as_ref().or(request.message_id.as_ref());
        prop_assert_eq!(sent.properties.correlation_id.as_ref(), echoed);
        if which == 2 {
            let in_bincode = sent.properties.content_type.as_deref() == Some("application/x-bincode");
            prop_assert_eq!(sent.body.is_empty(), in_bincode);
            prop_assert!(sent.body.len() < 7 * 1024, "{}", sent.body.len());
        }
        match (which, read_reply(&sent.properties, sent.body)) {
            (0, ReceivedReply::Result { body, encoding: read })
            | (1, ReceivedReply::Error { body, encoding: read }) => {
                prop_assert_eq!((body, read), (bytes, Some(encoding)));
            }
            (2, ReceivedReply::Fault(read)) => prop_assert_eq!(read, fault),
            (_, other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn other_spellings_of_an_id_are_not_recognised(number in 1u128.., request in properties()) {
        let id = Uuid::from_u128(number);
        let with = |text: String| Properties { correlation_id: Some(text.as_str().into()), ..request.clone() };
        prop_assert_eq!(reply_correlation(&with(id.to_string())), Some(id));
        prop_assert_eq!(reply_correlation(&with(id.simple().to_string())), None);
        prop_assert_eq!(reply_correlation(&with(id.urn().to_string())), None);
    }
}
