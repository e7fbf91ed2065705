//! Replays bytes from a socket, and records the calls of a handler. For tests of the frame reader and for fuzzing.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use smol_str::SmolStr;

use super::{Shared, frame_reader::FrameReader};
use crate::{
    ChannelHandler, Confirmation, Error, MAX_TABLE_DEPTH,
    message::{Delivery, Properties, Value},
    protocol::Tuning,
};

/// The channel that has the handler: the first one.
#[cfg(test)]
pub(crate) const CHANNEL: u16 = 1;

const TUNING: Tuning = Tuning { channel_max: 9, frame_max: 4096, heartbeat: 0 };

/// The largest body that is kept.
pub(crate) const MAX_BODY: usize = 2 * 1024 * 1024;

/// The agreed frame size.
const LARGEST: usize = 4096;

/// A call of the handler.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    Delivered(Delivery),
    Unreadable(u64, usize),
    Returned(Box<Properties>),
    Confirmed { number: u64, multiple: bool, confirmation: Confirmation },
    Cancelled,
    Closed,
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Call>>);

impl Recorder {
    fn note(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl ChannelHandler for Recorder {
    fn delivered(&self, delivery: Delivery) {
        self.note(Call::Delivered(delivery));
    }

    fn unreadable(&self, tag: u64, size: usize) {
        self.note(Call::Unreadable(tag, size));
    }

    fn max_body(&self) -> usize {
        MAX_BODY
    }

    fn cancelled(&self) {
        self.note(Call::Cancelled);
    }

    fn returned(&self, properties: Properties) {
        self.note(Call::Returned(Box::new(properties)));
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        self.note(Call::Confirmed { number, multiple, confirmation });
    }

    fn closed(&self, _: Error) {
        self.note(Call::Closed);
    }
}

/// The calls for bytes that arrive in pieces of this size, and whether the bytes were valid AMQP.
pub(crate) fn replay(bytes: &[u8], piece: usize) -> (Vec<Call>, bool) {
    let (shared, recorder) = (Shared::new(TUNING), Arc::new(Recorder::default()));
    if let Ok(writer) = shared.reserve() {
        shared.set_handler(&writer, recorder.clone());
    }
    let mut reader = FrameReader::new(shared, LARGEST);
    let mut came = BytesMut::new();
    let formed = bytes.chunks(piece.max(1)).all(|piece| {
        came.extend_from_slice(piece);
        reader.read(&mut came).is_ok()
    });
    let calls = std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner));
    (calls, formed)
}

/// # Panics
///
/// If the calls depend on the size of the pieces, or a header value is nested deeper than allowed.
pub(crate) fn check(bytes: &[u8], piece: usize) -> Vec<Call> {
    let (calls, formed) = replay(bytes, piece);
    if formed {
        let whole = replay(bytes, bytes.len());
        assert!(whole == (calls, formed), "the pieces make a difference");
        check_depth(&whole.0);
        return whole.0;
    }
    calls
}

fn check_depth(calls: &[Call]) {
    let headers = calls.iter().flat_map(|call| match call {
        Call::Delivered(delivery) => &delivery.properties.headers[..],
        Call::Returned(properties) => &properties.headers[..],
        _ => &[],
    });
    // An unreadable table counts as infinitely deep.
    let depths = headers.map(|(_, value): &(SmolStr, Value)| value.depth());
    let deepest = depths.filter(|depth| *depth != usize::MAX).max();
    assert!(deepest.unwrap_or(0) <= MAX_TABLE_DEPTH + 1);
}
