//! The guard, held against lapin's own reading of what it lets through: for its tests and for fuzzing.

use lapin::{
    protocol::{basic, parse_class},
    types::{AMQPValue, FieldTable},
};

use super::guard::Guard;
use crate::envelope::MAX_HEADER_DEPTH;

pub(super) const PREFIX: usize = 7;
pub(super) const END: usize = 1;

/// Class, weight and size of the body.
const BEFORE_PROPERTIES: usize = 12;

/// Sends bytes through the guard: so many at a time, taken from it with so much room.
pub(super) fn through(bytes: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let (mut guard, mut out, mut rest) = (Guard::default(), Vec::new(), bytes);
    let mut to = vec![0; room];
    while !rest.is_empty() {
        let direct = guard.direct().min(rest.len()).min(piece);
        if direct > 0 {
            out.extend(&rest[..direct]);
            guard.went_directly(direct);
            rest = &rest[direct..];
            continue;
        }
        let space = guard.space();
        let bytes = piece.min(rest.len()).min(space.len());
        space[..bytes].copy_from_slice(&rest[..bytes]);
        guard.filled(bytes);
        rest = &rest[bytes..];
        loop {
            let taken = guard.take(&mut to);
            out.extend(&to[..taken]);
            if taken == 0 {
                break;
            }
        }
    }
    out
}

/// A frame as lapin would read it.
#[derive(Debug)]
pub(super) enum Read {
    Method,
    Header(Box<basic::AMQPProperties>),
    /// A frame of another kind.
    Other,
    /// lapin gives the connection up here.
    Refused,
}

/// The frames that are there in full, as lapin would read them, up to the first that it refuses.
pub(super) fn read(mut bytes: &[u8]) -> Vec<Read> {
    let mut frames = Vec::new();
    while let Some((&[kind, _, _, a, b, c, d], rest)) = bytes.split_first_chunk::<PREFIX>() {
        let size = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some((payload, [end, rest @ ..])) = rest.split_at_checked(size) else { break };
        let frame = match kind {
            _ if *end != 0xce => Read::Refused,
            1 => method(payload),
            2 => payload.get(BEFORE_PROPERTIES..).map_or(Read::Refused, properties),
            3 | 8 => Read::Other,
            _ => Read::Refused,
        };
        let refused = matches!(frame, Read::Refused);
        frames.push(frame);
        if refused {
            break;
        }
        bytes = rest;
    }
    frames
}

fn method(payload: &[u8]) -> Read {
    match parse_class(payload) {
        Ok(([], _)) => Read::Method,
        _ => Read::Refused,
    }
}

fn properties(written: &[u8]) -> Read {
    match basic::parse_properties(written) {
        Ok(([], properties)) => Read::Header(Box::new(properties)),
        _ => Read::Refused,
    }
}

/// # Panics
///
/// If what comes out is not as long as what goes in, depends on the pieces, or nests deeper than lapin is to see.
pub(super) fn check(bytes: &[u8], piece: usize, room: usize) -> Vec<Read> {
    let out = through(bytes, piece, room);
    // A frame that is not there in full is held back, and nothing else.
    assert!(out.len() <= bytes.len());
    assert_eq!(out.len() + held_back(bytes), bytes.len(), "{bytes:?}");
    assert!(out == through(bytes, bytes.len().max(1), 4096), "the pieces make a difference");
    assert!(out == through(&out, piece, room), "what is harmless already is changed");
    let frames = read(&out);
    for frame in &frames {
        if let Read::Header(properties) = frame
            && let Some(headers) = properties.headers()
        {
            let depth = headers.inner().values().map(depth).max().unwrap_or(0);
            assert!(depth <= MAX_HEADER_DEPTH + 1, "{depth} levels: {bytes:?}");
        }
    }
    frames
}

/// How much of the last frame the guard has to wait for.
fn held_back(mut bytes: &[u8]) -> usize {
    loop {
        let Some(&[kind, _, _, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
            return bytes.len();
        };
        let frame = u32::from_be_bytes([a, b, c, d]) as usize + PREFIX + END;
        match bytes.get(frame..) {
            Some(rest) => bytes = rest,
            None if matches!(kind, 1 | 2) && frame <= super::guard::LARGEST_HELD => {
                return bytes.len();
            }
            None => return 0,
        }
    }
}

fn depth(value: &AMQPValue) -> usize {
    match value {
        AMQPValue::FieldTable(table) => 1 + deepest(table),
        AMQPValue::FieldArray(array) => 1 + array.as_slice().iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn deepest(table: &FieldTable) -> usize {
    table.inner().values().map(depth).max().unwrap_or(0)
}

/// A frame of this kind around a payload.
pub(super) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&[kind, 0, 1][..], &size.to_be_bytes(), payload, &[0xce]].concat()
}

/// A content header around properties, from their flags on.
pub(super) fn content_header(properties: &[u8]) -> Vec<u8> {
    let before = [&60u16.to_be_bytes()[..], &[0, 0], &8u64.to_be_bytes()].concat();
    frame(2, &[&before, properties].concat())
}

/// Frames as they come from the socket, after two bytes that say in what pieces they come and go.
#[cfg(fuzzing)]
pub(crate) fn fuzz_guard(bytes: &[u8]) {
    if let [piece, room, stream @ ..] = bytes {
        check(stream, 1 + usize::from(*piece), 1 + usize::from(*room));
    }
}

/// The properties of a message as the framework sees them, if lapin can read them; from their flags on.
#[cfg(fuzzing)]
pub(crate) fn fuzz_properties(written: &[u8]) -> Option<crate::transport::Properties> {
    match check(&content_header(written), 4096, 4096).pop() {
        Some(Read::Header(properties)) => Some(super::properties::from_lapin(&properties)),
        _ => None,
    }
}
