//! Frames: taken from the bytes that came, and put into the bytes that go.

use std::{collections::VecDeque, fmt, mem, ops::Range};

use bytes::{BufMut, Bytes, BytesMut};

use super::{BODY, Command, END, HEADER, HEARTBEAT_FRAME, METHOD, PREFIX, properties};
use crate::{
    cut,
    limits::{MAX_HEADER_FRAME, MAX_SHORT_STRING},
    message::Message,
};

/// Bodies from this size on go out as they are, and are not copied.
const COPY_BELOW: usize = 4096;

/// A buffer of at most so many bytes is used again.
const KEPT: usize = 64 * 1024;

/// One frame, as far as all frames are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) channel: u16,
    /// Of all of it, with what stands before and after its payload.
    pub(crate) size: usize,
}

impl Frame {
    /// Whether it is the header of a message that is too large to be read. RabbitMQ does not hold the headers that it
    /// delivers to the agreed size of frames, and adds headers of its own. So one that is too large concerns its message
    /// and not the connection.
    pub(crate) fn is_oversized_header(&self) -> bool {
        self.kind == HEADER && self.size > MAX_HEADER_FRAME
    }
}

/// What came is no AMQP, or a frame that is larger than was agreed.
#[derive(Debug)]
pub(crate) struct Malformed;

/// The frame at the beginning of the bytes. `None` where more bytes are needed to know.
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

/// Something in the order in which it is to go out.
pub(crate) enum Item {
    Bytes(Bytes),
    /// Run when everything before it is on the socket.
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

/// Frames to go out, in order.
#[derive(Default)]
pub(crate) struct Frames {
    ready: VecDeque<Item>,
    tail: BytesMut,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what is in them.
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

    /// Moves everything over.
    pub(crate) fn take(&mut self, to: &mut VecDeque<Item>) {
        self.seal();
        to.append(&mut self.ready);
    }

    fn seal(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        // What a burst has filled is not kept after it.
        let sealed =
            if self.tail.len() > KEPT { mem::take(&mut self.tail) } else { self.tail.split() };
        self.ready.push_back(Item::Bytes(sealed.freeze()));
    }

    /// Runs this when everything before it is on the socket.
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

    /// A message, in frames of at most this size.
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

    /// Part of a body. A large one is shared, which would cost a small one an allocation.
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

    /// Gives one message back to its queue, or rejects it.
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

/// Says how long what was written after a length is.
pub(super) fn put_length(to: &mut BytesMut, start: usize) {
    let length = u32::try_from(to.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = to.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Names are checked where they come in; here one that is too long is cut, so that the frame stays one.
pub(super) fn put_short(to: &mut BytesMut, text: &str) {
    put_short_bytes(to, cut::prefix(text, MAX_SHORT_STRING).as_bytes());
}

/// The same for bytes that need not be text.
pub(super) fn put_short_bytes(to: &mut BytesMut, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    to.put_u8(length);
    to.put_slice(bytes.get(..usize::from(length)).unwrap_or_default());
}
