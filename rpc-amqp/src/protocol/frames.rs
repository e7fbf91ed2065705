//! Frames: found in received bytes, and written to outgoing bytes.

use std::{collections::VecDeque, fmt, mem, ops::Range};

use bytes::{BufMut, Bytes, BytesMut};

use super::{BODY, Command, END, HEADER, HEARTBEAT_FRAME, METHOD, PREFIX, properties};
use crate::{
    cut,
    limits::{MAX_HEADER_FRAME, MAX_SHORT_STRING},
    message::Message,
};

/// Bodies of at least this size are not copied.
const COPY_BELOW: usize = 4096;

/// A buffer of at most this size is reused.
const KEPT: usize = 64 * 1024;

/// The fields that all frames have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) channel: u16,
    /// The size of the whole frame, with header and end byte.
    pub(crate) size: usize,
}

impl Frame {
    /// Whether it is a content header that is too large to read. RabbitMQ adds its own headers, and does not limit a
    /// delivered content header to the agreed frame size. So an oversized one affects only its message and not the
    /// connection.
    pub(crate) fn is_oversized_header(&self) -> bool {
        self.kind == HEADER && self.size > MAX_HEADER_FRAME
    }
}

/// The bytes are not AMQP, or a frame is larger than agreed.
#[derive(Debug)]
pub(crate) struct Malformed;

/// The frame at the start of the bytes. `None` if more bytes are needed.
pub(crate) fn next_frame(bytes: &[u8], largest: usize) -> Result<Option<Frame>, Malformed> {
    let Some(&[kind, high, low, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let payload = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| Malformed)?;
    let size = payload.saturating_add(PREFIX + 1);
    if size > largest && kind != HEADER {
        return Err(Malformed);
    }
    match bytes.get(size - 1) {
        Some(&end) if end != END => Err(Malformed),
        _ => Ok(Some(Frame { kind, channel: u16::from_be_bytes([high, low]), size })),
    }
}

/// One item of the outgoing queue.
pub(crate) enum Item {
    Bytes(Bytes),
    /// Called when everything before it is written to the socket.
    Written(Box<dyn FnOnce() + Send>),
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Written(_) => f.write_str("Written"),
        }
    }
}

/// Outgoing frames, in order.
#[derive(Default)]
pub(crate) struct Frames {
    ready: VecDeque<Item>,
    tail: BytesMut,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Lengths only, because the frames may contain secrets.
        f.debug_struct("Frames")
            .field("ready", &self.ready)
            .field("tail", &self.tail.len())
            .finish()
    }
}

impl Frames {
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.tail.is_empty()
    }

    /// Moves all items.
    pub(crate) fn take(&mut self, to: &mut VecDeque<Item>) {
        self.seal();
        to.append(&mut self.ready);
    }

    fn seal(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        // A large buffer after a burst is not kept.
        let sealed =
            if self.tail.len() > KEPT { mem::take(&mut self.tail) } else { self.tail.split() };
        self.ready.push_back(Item::Bytes(sealed.freeze()));
    }

    /// Calls the closure when everything before it is written to the socket.
    pub(crate) fn when_written(&mut self, run: impl FnOnce() + Send + 'static) {
        self.seal();
        self.ready.push_back(Item::Written(Box::new(run)));
    }

    pub(crate) fn command(&mut self, channel: u16, command: &Command<'_>) {
        command.write(&mut self.tail, channel);
    }

    pub(crate) fn heartbeat(&mut self) {
        self.tail.put_slice(&HEARTBEAT_FRAME);
    }

    /// Writes a message, in frames of at most this size.
    pub(crate) fn publish(&mut self, channel: u16, message: &Message, frame_max: usize) {
        self.method(channel, [60, 40], |to| {
            to.put_u16(0);
            put_short(to, &message.exchange);
            put_short(to, &message.routing_key);
            to.put_u8(u8::from(message.mandatory));
        });
        self.frame(HEADER, channel, |to| {
            properties::write_content(to, &message.properties, message.body.len());
        });
        let (size, most) = (message.body.len(), frame_max.saturating_sub(PREFIX + 1).max(1));
        for start in (0..size).step_by(most) {
            self.body(channel, &message.body, start..size.min(start.saturating_add(most)));
        }
    }

    /// Part of a body. A large body is shared instead of copied. For a small one, sharing would cost an allocation.
    fn body(&mut self, channel: u16, body: &Bytes, part: Range<usize>) {
        if part.len() < COPY_BELOW {
            self.frame(BODY, channel, |to| to.put_slice(&body[part]));
            return;
        }
        self.tail.put_u8(BODY);
        self.tail.put_u16(channel);
        self.tail.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        self.seal();
        self.ready.push_back(Item::Bytes(body.slice(part)));
        self.tail.put_u8(END);
    }

    pub(crate) fn ack(&mut self, channel: u16, tag: u64, multiple: bool) {
        self.method(channel, [60, 80], |to| {
            to.put_u64(tag);
            to.put_u8(u8::from(multiple));
        });
    }

    /// Requeues one message, or rejects it.
    pub(crate) fn reject(&mut self, channel: u16, tag: u64, requeue: bool) {
        self.method(channel, [60, 120], |to| {
            to.put_u64(tag);
            to.put_u8(if requeue { 2 } else { 0 });
        });
    }

    fn method(&mut self, channel: u16, id: [u16; 2], arguments: impl FnOnce(&mut BytesMut)) {
        self.frame(METHOD, channel, |to| {
            to.put_u16(id[0]);
            to.put_u16(id[1]);
            arguments(to);
        });
    }

    fn frame(&mut self, kind: u8, channel: u16, payload: impl FnOnce(&mut BytesMut)) {
        put_frame(&mut self.tail, kind, channel, payload);
    }
}

pub(super) fn put_frame(
    to: &mut BytesMut,
    kind: u8,
    channel: u16,
    payload: impl FnOnce(&mut BytesMut),
) {
    to.put_u8(kind);
    to.put_u16(channel);
    let start = to.len();
    to.put_u32(0);
    payload(to);
    put_length(to, start);
    to.put_u8(END);
}

/// Fills in the length in front of what was written after it.
pub(super) fn put_length(to: &mut BytesMut, start: usize) {
    let length = u32::try_from(to.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = to.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Names are checked by callers. A name that is too long is cut here, so that the frame stays valid.
pub(super) fn put_short(to: &mut BytesMut, text: &str) {
    put_short_bytes(to, cut::prefix(text, MAX_SHORT_STRING).as_bytes());
}

/// The same for bytes, which need not be text.
pub(super) fn put_short_bytes(to: &mut BytesMut, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    to.put_u8(length);
    to.put_slice(bytes.get(..usize::from(length)).unwrap_or_default());
}
