//! Reads frames, and hands messages and answers to the handlers and tasks of their channels.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tracing::debug;

use super::Shared;
use crate::{
    ChannelHandler, Confirmation, Error,
    message::{Delivery, Message},
    protocol::{
        BODY, END, HEADER, METHOD, Malformed, Method, PREFIX, next_frame, read_body_size,
        read_content,
    },
};

/// A body of at least this size keeps the buffer that it was read into. A smaller one is copied out of it.
const KEEP_FROM: usize = 16 * 1024;

/// No more is reserved for a body at first: a peer may announce any size.
const BELIEVED: usize = 1024 * 1024;

/// How far into a header the size of the body ends.
const BODY_SIZE: usize = 12;

/// A message of which not everything is there yet.
struct Partial {
    /// `None` on a channel that has ended.
    handler: Option<Arc<dyn ChannelHandler>>,
    delivery: Delivery,
    /// It was published on this connection, and came back.
    returned: bool,
    /// `None` until the header has come.
    missing: Option<usize>,
    body: BytesMut,
    /// Its body is counted and dropped.
    dropped: bool,
    /// The size of its header, which was too large to be read.
    oversized: Option<usize>,
}

impl Partial {
    fn message(&mut self) -> &mut Message {
        // There is no other handle of it yet.
        Arc::make_mut(&mut self.delivery.message)
    }
}

/// The messages that are arriving, by channel: seldom more than one, so looking through them is the fastest.
#[derive(Default)]
struct Partials(Vec<(u16, Partial)>);

impl Partials {
    fn get_mut(&mut self, channel: u16) -> Option<&mut Partial> {
        self.0.iter_mut().find(|(of, _)| *of == channel).map(|(_, partial)| partial)
    }

    /// Replaces the one of this channel, if there is one.
    fn insert(&mut self, channel: u16, partial: Partial) {
        match self.get_mut(channel) {
            Some(replaced) => *replaced = partial,
            None => self.0.push((channel, partial)),
        }
    }

    fn remove(&mut self, channel: u16) -> Option<Partial> {
        let index = self.0.iter().position(|(of, _)| *of == channel)?;
        Some(self.0.swap_remove(index).1)
    }
}

/// Takes frames apart.
pub(super) struct FrameReader {
    shared: Arc<Shared>,
    partial: Partials,
    frame_max: usize,
    /// How much is still to come of a frame that is skipped.
    to_skip: usize,
    /// How many messages have come.
    pub(super) messages: usize,
    /// Why the broker has ended the connection, once it has.
    pub(super) ended: Option<Error>,
}

impl FrameReader {
    pub(super) fn new(shared: Arc<Shared>, frame_max: usize) -> Self {
        Self {
            shared,
            partial: Partials::default(),
            frame_max,
            to_skip: 0,
            messages: 0,
            ended: None,
        }
    }

    /// Reads all frames that are there in full.
    pub(super) fn read(&mut self, came: &mut BytesMut) -> Result<(), Malformed> {
        while self.ended.is_none()
            && (self.to_skip == 0 || self.skip(came)?)
            && let Some(frame) = next_frame(came, self.frame_max)?
        {
            if frame.is_oversized_header() {
                let Some(beginning) = came.get(PREFIX..PREFIX + BODY_SIZE) else { break };
                let body = read_body_size(beginning).ok_or(Malformed)?;
                self.oversized_header(frame.channel, frame.size, body);
                self.to_skip = frame.size;
                continue;
            }
            if came.len() < frame.size {
                came.reserve(frame.size - came.len());
                break;
            }
            if frame.kind == BODY && frame.size > KEEP_FROM {
                let mut payload = came.split_to(frame.size).freeze().slice(PREFIX..);
                payload.truncate(frame.size - PREFIX - 1);
                self.body(frame.channel, Chunk::Kept(payload));
                continue;
            }
            let payload = &came[PREFIX..frame.size - 1];
            match frame.kind {
                METHOD => self.method(frame.channel, payload)?,
                HEADER => self.header(frame.channel, payload)?,
                BODY => self.body(frame.channel, Chunk::Copied(payload)),
                // A heartbeat has been noted by now.
                _ => {}
            }
            came.advance(frame.size);
        }
        Ok(())
    }

    /// Drops what has come of a frame that is skipped. `true` once that was all of it.
    fn skip(&mut self, came: &mut BytesMut) -> Result<bool, Malformed> {
        let count = self.to_skip.min(came.len());
        let all = count == self.to_skip;
        if all && came.get(count - 1) != Some(&END) {
            return Err(Malformed);
        }
        came.advance(count);
        self.to_skip -= count;
        Ok(all)
    }

    fn method(&mut self, channel: u16, payload: &[u8]) -> Result<(), Malformed> {
        match Method::read(payload).ok_or(Malformed)? {
            Method::Deliver { tag, redelivered, exchange, routing_key } => {
                let message = Message { exchange, routing_key, ..Message::default() };
                let message = Arc::new(message);
                self.begin(channel, Delivery { tag, redelivered, message }, false);
            }
            Method::Return => {
                let message = Arc::default();
                self.begin(channel, Delivery { tag: 0, redelivered: false, message }, true);
            }
            Method::Confirm { tag, multiple, accepted } => {
                if let Some(handler) = self.shared.handler(channel) {
                    let confirmation =
                        if accepted { Confirmation::Ack } else { Confirmation::Nack };
                    handler.confirmed(tag, multiple, confirmation);
                }
            }
            Method::Answer(answer) => self.shared.answered(channel, answer),
            Method::Cancelled => {
                if let Some(handler) = self.shared.handler(channel) {
                    handler.cancelled();
                }
            }
            Method::Close(reason) => {
                self.partial.remove(channel);
                self.shared.channel_closed(channel, reason);
            }
            Method::CloseOk => {
                self.partial.remove(channel);
                self.shared.close_agreed(channel);
            }
            Method::CloseConnection(reason) => {
                self.ended = Some(Error::ConnectionClosed(reason));
            }
            Method::CloseConnectionOk => self.ended = Some(Error::Closed),
            Method::Blocked(reason) => self.alarm(Some(reason.as_str().into())),
            Method::Unblocked => self.alarm(None),
            Method::Start { .. } | Method::Tune(_) | Method::Open | Method::Other => {
                debug!(channel, "the broker sent a method that this client does not use");
            }
        }
        Ok(())
    }

    fn alarm(&self, reason: Option<Arc<str>>) {
        self.shared.blocked().send_modify(|blocked| blocked.alarm = reason);
    }

    fn begin(&mut self, channel: u16, delivery: Delivery, returned: bool) {
        let handler = self.shared.handler(channel);
        if handler.is_none() {
            debug!(channel, "dropped a message on a channel that has ended");
        }
        let (missing, body, oversized) = (None, BytesMut::new(), None);
        // The body of a returned message is of no use.
        let dropped = handler.is_none() || returned;
        let partial = Partial { handler, delivery, returned, missing, body, dropped, oversized };
        self.partial.insert(channel, partial);
    }

    /// A header or a body without a method before it is ignored.
    fn header(&mut self, channel: u16, payload: &[u8]) -> Result<(), Malformed> {
        let Some(partial) = self.partial.get_mut(channel) else { return Ok(()) };
        let size = read_content(payload, &mut partial.message().properties).ok_or(Malformed)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        partial.missing = Some(size);
        if size > BELIEVED
            && partial.handler.as_ref().is_some_and(|handler| size > handler.max_body())
        {
            partial.dropped = true;
            partial.message().dropped = size;
        }
        if size == 0 {
            self.complete(channel, Bytes::new());
        }
        Ok(())
    }

    /// Nothing is known of a message with such a header but its delivery tag.
    fn oversized_header(&mut self, channel: u16, frame: usize, body: u64) {
        let Some(partial) = self.partial.get_mut(channel) else { return };
        partial.dropped = true;
        partial.oversized = Some(frame);
        partial.missing = Some(usize::try_from(body).unwrap_or(usize::MAX));
        if body == 0 {
            self.complete(channel, Bytes::new());
        }
    }

    fn body(&mut self, channel: u16, chunk: Chunk<'_>) {
        let Some(partial) = self.partial.get_mut(channel) else { return };
        let Some(missing) = partial.missing else { return };
        let rest = missing.saturating_sub(chunk.bytes().len());
        partial.missing = Some(rest);
        let body = if partial.dropped {
            Bytes::new()
        } else if rest == 0 && partial.body.is_empty() {
            chunk.into_bytes()
        } else {
            if partial.body.is_empty() {
                partial.body.reserve(missing.min(BELIEVED));
            }
            partial.body.extend_from_slice(chunk.bytes());
            if rest > 0 {
                return;
            }
            std::mem::take(&mut partial.body).freeze()
        };
        if rest == 0 {
            self.complete(channel, body);
        }
    }

    fn complete(&mut self, channel: u16, body: Bytes) {
        let Some(mut partial) = self.partial.remove(channel) else { return };
        self.messages += 1;
        let Some(handler) = partial.handler.take() else { return };
        if let (Some(size), false) = (partial.oversized, partial.returned) {
            handler.unreadable(partial.delivery.tag, size);
        } else if partial.returned {
            handler.returned(std::mem::take(&mut partial.message().properties));
        } else {
            partial.message().body = body;
            handler.delivered(partial.delivery);
        }
    }
}

/// A piece of a body.
enum Chunk<'a> {
    Copied(&'a [u8]),
    Kept(Bytes),
}

impl Chunk<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Kept(bytes) => bytes,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Copied(bytes) => Bytes::copy_from_slice(bytes),
            Self::Kept(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests;
