//! What comes out of the guard is as long as what went in, and lapin can read it.

use proptest::{collection::vec, prelude::*};

use super::super::oracle::{Read, check, content_header, frame};

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()][..], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most)
}

/// A value of a header, each kind that RabbitMQ knows.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let fixed = prop::sample::select(vec![
        (b'V', 0usize),
        (b't', 1),
        (b'b', 1),
        (b'B', 1),
        (b's', 2),
        (b'U', 2),
        (b'u', 2),
        (b'I', 4),
        (b'i', 4),
        (b'f', 4),
        (b'D', 5),
        (b'l', 8),
        (b'L', 8),
        (b'd', 8),
        (b'T', 8),
    ]);
    let scalar = (fixed, bytes(8)).prop_map(|((kind, length), mut bytes)| {
        bytes.resize(length, 0x5a);
        [&[kind][..], &bytes].concat()
    });
    let text = (prop::sample::select(vec![b'S', b'x']), bytes(20))
        .prop_map(|(kind, bytes)| [&[kind][..], &long(&bytes)].concat());
    prop_oneof![scalar, text].prop_recursive(5, 30, 4, |inner| {
        let array = vec(inner.clone(), 0..4).prop_map(|values| (b'A', values.concat()));
        let table = vec((bytes(10), inner), 0..4).prop_map(|members| {
            let members =
                members.into_iter().flat_map(|(name, value)| [short(&name), value].concat());
            (b'F', members.collect())
        });
        prop_oneof![array, table].prop_map(|(kind, inside)| [&[kind][..], &long(&inside)].concat())
    })
}

/// The same in tables and arrays, so deep.
fn deep(value: Vec<u8>, levels: &[bool]) -> Vec<u8> {
    levels.iter().fold(value, |inner, table| {
        let (kind, inner) =
            if *table { (b'F', [short(b"t"), inner].concat()) } else { (b'A', inner) };
        [&[kind][..], &long(&inner)].concat()
    })
}

/// The members of the table of headers: well formed, hostile, or none at all.
fn table() -> impl Strategy<Value = Vec<u8>> {
    let levels =
        prop_oneof![vec(any::<bool>(), 0..5), vec(any::<bool>(), 28..40), vec(any::<bool>(), 100)];
    let formed = vec((bytes(10), value(), levels), 0..3).prop_map(|members| {
        let members = members
            .into_iter()
            .flat_map(|(name, value, levels)| [short(&name), deep(value, &levels)].concat());
        members.collect::<Vec<u8>>()
    });
    let changes = prop_oneof![Just(Vec::new()), vec(any::<(prop::sample::Index, u8)>(), 1..6)];
    // One byte is no table, and leaves no room for one.
    let none = bytes(100).prop_filter("it cannot be mended", |bytes| bytes.len() != 1);
    prop_oneof![4 => (formed, changes).prop_map(mutate), 1 => none]
}

fn mutate((mut bytes, changes): (Vec<u8>, Vec<(prop::sample::Index, u8)>)) -> Vec<u8> {
    if !bytes.is_empty() {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
    }
    bytes
}

/// A content header with all fourteen properties or some of them, in form but for what a peer may choose.
fn header() -> impl Strategy<Value = Vec<u8>> {
    (any::<u16>(), table(), vec(bytes(40), 16)).prop_map(|(flags, table, texts)| {
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
        content_header(&written)
    })
}

/// basic.deliver, or basic.return.
fn method() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), bytes(40), bytes(255)).prop_map(|(deliver, exchange, routing_key)| {
        let before = if deliver {
            [&[0, 60, 0, 60][..], &short(b"tag"), &[0; 9]].concat()
        } else {
            [&[0, 60, 0, 50, 1, 56][..], &short(b"NO_ROUTE")].concat()
        };
        frame(1, &[before, short(&exchange), short(&routing_key)].concat())
    })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let other = (prop::sample::select(vec![1u8, 2, 3, 8, 9, b'A']), bytes(60))
        .prop_map(|(kind, payload)| frame(kind, &payload));
    vec(prop_oneof![3 => header(), 2 => method(), 1 => other], 0..6)
        .prop_map(|frames| frames.concat())
}

proptest! {
    // Enough to find what was found, and quick; fuzz/ tries millions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_come_out_at_the_same_length(bytes in bytes(300), piece in 1..50usize, room in 1..50usize) {
        check(&bytes, piece, room);
    }

    #[test]
    fn frames_come_out_no_deeper_than_the_server_looks(
        stream in stream(),
        changes in vec(any::<(prop::sample::Index, u8)>(), 0..4),
        piece in 1..500usize,
        room in 1..500usize,
    ) {
        check(&mutate((stream, changes)), piece, room);
    }

    /// Whatever stands where a peer may write: a table of one byte alone cannot be mended, and no broker passes it on.
    #[test]
    fn a_message_never_ends_the_connection(header in header(), method in method(), piece in 1..500usize) {
        let frames = check(&[method, header.clone()].concat(), piece, 64);
        prop_assert!(matches!(frames[..], [Read::Method, Read::Header(_)]), "{:?}", frames);
    }
}
