//! Any bytes, in pieces of any size, reach the right handler and do no harm.

use bytes::BytesMut;
use proptest::{collection::vec, prelude::*};
use smol_str::{SmolStr, ToSmolStr as _};
use uuid::Uuid;

use super::super::replay::{CHANNEL, Call, MAX_BODY, check, replay};
use crate::{
    Confirmation,
    limits::MAX_HEADER_FRAME,
    message::{Expiration, Id, Message, Properties, Value},
    protocol::{Frames, HEARTBEAT_FRAME, Item},
};

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()][..], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap();
    [&[kind][..], &channel.to_be_bytes(), &size.to_be_bytes(), payload, &[0xce]].concat()
}

fn header(size: usize, properties: &[u8]) -> Vec<u8> {
    let before = [&60u16.to_be_bytes()[..], &[0, 0], &(size as u64).to_be_bytes()].concat();
    frame(2, CHANNEL, &[&before, properties].concat())
}

fn deliver(channel: u16, exchange: &[u8], routing_key: &[u8]) -> Vec<u8> {
    let head = [&[0, 60, 0, 60][..], &short(b"tag"), &[0, 0, 0, 0, 0, 0, 0, 7, 1]].concat();
    frame(1, channel, &[head, short(exchange), short(routing_key)].concat())
}

/// The frames of a message as a caller would write it. The first frame is a delivery instead of a publish.
fn delivery_of(message: &Message, largest: usize) -> Vec<u8> {
    let mut frames = Frames::default();
    frames.publish(CHANNEL, message, largest);
    let mut items = std::collections::VecDeque::new();
    frames.take(&mut items);
    let written = items.into_iter().fold(BytesMut::new(), |mut all, item| {
        if let Item::Bytes(bytes) = item {
            all.extend_from_slice(&bytes);
        }
        all
    });
    let publish = u32::from_be_bytes(*written[3..].first_chunk().unwrap()) as usize + 8;
    let head = deliver(CHANNEL, message.exchange.as_bytes(), message.routing_key.as_bytes());
    [&head, &written[publish..]].concat()
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most)
}

fn text() -> impl Strategy<Value = SmolStr> {
    "\\PC{0,30}".prop_map(SmolStr::from)
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        any::<u128>().prop_map(|id| Id::Uuid(Uuid::from_u128(id))),
        text().prop_map(|id| Id::from(&id))
    ]
}

fn properties() -> impl Strategy<Value = Properties> {
    let value = prop_oneof![
        text().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
    ];
    let some = || prop::option::of(text());
    let id = || prop::option::of(id());
    let texts = (some(), some(), some(), id(), some(), some(), id(), some());
    (texts, any::<Option<u8>>(), any::<bool>(), vec((text(), value), 0..4)).prop_map(
        |(texts, priority, persistent, headers)| Properties {
            kind: texts.0,
            content_type: texts.1,
            content_encoding: texts.2,
            correlation_id: texts.3,
            reply_to: texts.4,
            expiration: texts.5.map(|text| Expiration::from(text.as_str())),
            message_id: texts.6,
            user_id: texts.7,
            priority,
            persistent,
            headers: headers.into(),
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    (text(), text(), properties(), bytes(9000)).prop_map(
        |(exchange, routing_key, properties, body)| Message {
            exchange,
            routing_key,
            mandatory: true,
            properties,
            body: body.into(),
            dropped: 0,
        },
    )
}

/// A header value of any kind that RabbitMQ knows, nested to any depth.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop::sample::select(b"VtbBsUuIifDlLdT".to_vec());
    let scalar = (kinds, bytes(8)).prop_map(|(kind, mut bytes)| {
        let length = match kind {
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'U' | b'u' => 2,
            b'D' => 5,
            b'l' | b'L' | b'd' | b'T' => 8,
            _ => 4,
        };
        bytes.resize(length, 0x5a);
        [&[kind][..], &bytes].concat()
    });
    let text = (prop::sample::select(b"Sx".to_vec()), bytes(20))
        .prop_map(|(kind, bytes)| [&[kind][..], &long(&bytes)].concat());
    let levels = prop_oneof![vec(any::<bool>(), 0..5), vec(any::<bool>(), 28..40)];
    (prop_oneof![scalar, text], levels).prop_map(|(value, levels)| {
        levels.iter().fold(value, |inner, table| {
            let (kind, inner) =
                if *table { (b'F', [short(b"t"), inner].concat()) } else { (b'A', inner) };
            [&[kind][..], &long(&inner)].concat()
        })
    })
}

/// A well-formed content header. The peer chooses its values.
fn hostile_header() -> impl Strategy<Value = Vec<u8>> {
    let table = vec((bytes(10), value()), 0..3).prop_map(|members| {
        members.into_iter().flat_map(|(name, value)| [short(&name), value].concat()).collect()
    });
    let table = prop_oneof![4 => table, 1 => bytes(100)];
    (any::<u16>(), table, vec(bytes(40), 16)).prop_map(|(flags, table, texts)| {
        let flags = flags & 0xfffc;
        let mut written = flags.to_be_bytes().to_vec();
        for bit in (2..16usize).rev().filter(|bit| flags & (1 << bit) != 0) {
            match bit {
                13 => written.extend(long(&table)),
                12 | 11 => written.push(texts[bit].first().copied().unwrap_or(2)),
                6 => written.extend([7; 8]),
                _ => written.extend(short(&texts[bit])),
            }
        }
        header(0, &written)
    })
}

proptest! {
    // Enough cases to find the easy bugs quickly. The fuzz targets run millions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn message_survives_a_round_trip(
        message in message(),
        largest in 100..4096usize,
        piece in 1..5000usize,
    ) {
        let calls = check(&delivery_of(&message, largest), piece);
        let [Call::Delivered(delivery)] = &calls[..] else { panic!("{calls:?}") };
        prop_assert_eq!(&*delivery.message, &Message { mandatory: false, ..message });
        prop_assert_eq!((delivery.tag, delivery.redelivered), (7, true));
    }

    /// Compares with lapin's parser, as an independent implementation.
    #[test]
    fn properties_are_written_as_others_read_them(message in message()) {
        let frames = delivery_of(&message, 4096);
        let deliver = u32::from_be_bytes(*frames[3..].first_chunk().unwrap()) as usize + 8;
        let header = &frames[deliver..];
        let size = u32::from_be_bytes(*header[3..].first_chunk().unwrap()) as usize;
        let (rest, read) = lapin::protocol::basic::parse_properties(&header[7 + 12..7 + size]).unwrap();
        prop_assert!(rest.is_empty());
        let text = |text: &Option<lapin::types::ShortString>| text.as_ref().map(|text| SmolStr::from(text.as_str()));
        let ours = message.properties;
        prop_assert_eq!(text(read.kind()), ours.kind);
        prop_assert_eq!(text(read.content_type()), ours.content_type);
        prop_assert_eq!(text(read.content_encoding()), ours.content_encoding);
        prop_assert_eq!(text(read.correlation_id()), ours.correlation_id.map(|id| id.to_smolstr()));
        prop_assert_eq!(text(read.reply_to()), ours.reply_to);
        prop_assert_eq!(text(read.expiration()), ours.expiration.map(|time| time.to_smolstr()));
        prop_assert_eq!(text(read.message_id()), ours.message_id.map(|id| id.to_smolstr()));
        prop_assert_eq!(text(read.user_id()), ours.user_id);
        prop_assert_eq!(read.priority(), &ours.priority);
        prop_assert_eq!(*read.delivery_mode() == Some(2), ours.persistent);
        let headers = read.headers().as_ref().map_or(0, |headers| headers.inner().len());
        let names: std::collections::BTreeSet<_> = ours.headers.iter().map(|(name, _)| name).collect();
        prop_assert_eq!(headers, names.len());
    }

    #[test]
    fn arbitrary_messages_never_end_the_connection(
        header in hostile_header(),
        exchange in bytes(40),
        routing_key in bytes(255),
        piece in 1..500usize,
    ) {
        let calls = check(&[deliver(CHANNEL, &exchange, &routing_key), header].concat(), piece);
        prop_assert!(matches!(calls[..], [Call::Delivered(_)]), "{:?}", calls);
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        header in hostile_header(),
        changes in vec(any::<(prop::sample::Index, u8)>(), 0..6),
        noise in bytes(300),
        piece in 1..500usize,
    ) {
        let mut stream = [deliver(CHANNEL, b"", b"q"), header, deliver(2, b"", b""), noise].concat();
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        check(&stream, piece);
    }
}

#[test]
fn a_handler_learns_of_cancel_and_close() {
    let cancel = frame(1, CHANNEL, &[&[0, 60, 0, 30][..], &short(b"tag"), &[0]].concat());
    let close = frame(1, CHANNEL, &[&[0, 20, 0, 40, 1, 147][..], &short(b"no"), &[0; 4]].concat());
    let stream = [&cancel[..], &HEARTBEAT_FRAME, &close, &deliver(CHANNEL, b"", b"q")].concat();
    assert_eq!(check(&stream, 3), [Call::Cancelled, Call::Closed]);
}

#[test]
fn messages_of_unknown_channels_are_dropped() {
    let stream = [deliver(9, b"", b"q"), header(0, &[0, 0]), frame(2, 9, &[0; 14])].concat();
    assert_eq!(check(&stream, 100), []);
}

#[test]
fn nothing_is_read_after_the_connection_closed() {
    let close = frame(1, 0, &[&[0, 10, 0, 50, 1, 64][..], &short(b"bye"), &[0; 4]].concat());
    let stream = [deliver(CHANNEL, b"", b"q"), close, header(0, &[0, 0])].concat();
    assert_eq!(check(&stream, 9), []);
}

#[test]
fn confirmations_name_one_or_many_messages() {
    let confirm = |method, bits| {
        frame(1, CHANNEL, &[&[0, 60, 0, method][..], &9u64.to_be_bytes(), &[bits]].concat())
    };
    let calls = check(&[confirm(80, 1), confirm(120, 0)].concat(), 1);
    let (accepted, rejected) = (Confirmation::Ack, Confirmation::Nack);
    let expected = [(true, accepted), (false, rejected)]
        .map(|(multiple, confirmation)| Call::Confirmed { number: 9, multiple, confirmation });
    assert_eq!(calls, expected);
}

#[test]
fn frame_larger_than_agreed_ends_the_connection() {
    for kind in [1, 3, 8] {
        let (_, formed) = replay(&frame(kind, CHANNEL, &[0; 5000]), 100);
        assert!(!formed, "{kind}");
    }
}

/// Headers with one long text, and the announced body.
fn long_header(text: usize, body: usize) -> Vec<u8> {
    let table = [&b"\x01aS"[..], &long(&vec![b'x'; text])].concat();
    header(body, &[&0x2000u16.to_be_bytes()[..], &long(&table)].concat())
}

#[test]
fn headers_larger_than_a_frame_are_measured() {
    let next = [deliver(CHANNEL, b"", b"next"), header(0, &[0, 0])].concat();
    for size in [5_000, MAX_HEADER_FRAME / 2] {
        let stream = [deliver(CHANNEL, b"", b"q"), long_header(size, 0), next.clone()].concat();
        let calls = check(&stream, 3000);
        let [Call::Delivered(large), Call::Delivered(_)] = &calls[..] else { panic!("{calls:?}") };
        let counted = if size == 5_000 { size } else { size + 1 };
        assert_eq!(large.properties.headers[0].1.size(), counted);
    }
}

#[test]
fn headers_without_bound_are_skipped_with_their_body() {
    let next = [deliver(CHANNEL, b"", b"next"), header(0, &[0, 0])].concat();
    let size = MAX_HEADER_FRAME;
    for body in [&[][..], &[0; 9]] {
        let body_frame = if body.is_empty() { Vec::new() } else { frame(3, CHANNEL, body) };
        let large = long_header(size, body.len());
        let frame = large.len();
        let stream = [deliver(CHANNEL, b"", b"q"), large, body_frame, next.clone()].concat();
        let calls = check(&stream, 5000);
        let [Call::Unreadable(7, known), Call::Delivered(next)] = &calls[..] else {
            panic!("{calls:?}")
        };
        assert_eq!((*known, next.routing_key.as_str()), (frame, "next"));
    }
}

#[test]
fn a_body_without_bound_is_counted_and_dropped() {
    let pieces = frame(3, CHANNEL, &[0; 4000]).repeat(20);
    let (calls, formed) =
        replay(&[deliver(CHANNEL, b"", b"q"), header(1 << 62, &[0, 0]), pieces].concat(), 4096);
    assert!(formed && calls.is_empty(), "it goes on for ever");

    let size = MAX_BODY + 1;
    let whole = [
        deliver(CHANNEL, b"", b"q"),
        header(size, &[0, 0]),
        frame(3, CHANNEL, &[0; 4000]).repeat(size / 4000),
        frame(3, CHANNEL, &vec![0; size % 4000]),
    ];
    let calls = check(&whole.concat(), 4096);
    let [Call::Delivered(delivery)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((delivery.body.len(), delivery.size()), (0, size));
}
