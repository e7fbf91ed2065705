//! What comes in: messages and answers go to whoever waits for them on their channel.

use std::{collections::BTreeMap, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use tracing::debug;

use super::{
    super::wire::{
        BODY, END, HEADER, METHOD, Malformed, Method, PREFIX, next_frame, read_body_size,
        read_content,
    },
    Ended, Mux, Route,
};
use crate::message::{Delivery, Message};

/// A body of at least this size keeps the buffer that it was read to; a smaller one is copied out of it.
const KEEP_FROM: usize = 16 * 1024;

/// A longer body grows as it comes: how long it will be is only what somebody says.
const BELIEVED: usize = 1024 * 1024;

/// How far into a header the size of the body ends.
const BODY_SIZE: usize = 12;

/// A message of which not everything is there yet.
struct Partial {
    /// `None` where nobody wants it.
    route: Option<Arc<dyn Route>>,
    delivery: Delivery,
    /// It was published here, and came back.
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
        // Nobody else has it yet.
        Arc::make_mut(&mut self.delivery.message)
    }
}

/// Takes frames apart.
pub(super) struct Router {
    mux: Arc<Mux>,
    /// There are few at a time.
    partial: BTreeMap<u16, Partial>,
    largest_frame: usize,
    /// How much has still to come of a frame that nobody reads.
    to_skip: usize,
    /// How many messages have come.
    pub(super) messages: usize,
    /// Why the broker has ended the connection, once it has.
    pub(super) ended: Option<Ended>,
}

impl Router {
    pub(super) fn new(mux: Arc<Mux>, largest_frame: usize) -> Self {
        Self { mux, partial: BTreeMap::new(), largest_frame, to_skip: 0, messages: 0, ended: None }
    }

    /// Deals with all frames that are there in full.
    pub(super) fn route(&mut self, came: &mut BytesMut) -> Result<(), Malformed> {
        while self.ended.is_none()
            && (self.to_skip == 0 || self.skip(came)?)
            && let Some(frame) = next_frame(came, self.largest_frame)?
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
                // A heartbeat has been heard by now.
                _ => {}
            }
            came.advance(frame.size);
        }
        Ok(())
    }

    /// Drops what has come of a frame that nobody reads; says whether that was all of it.
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
                if let Some(route) = self.mux.routed(channel) {
                    route.confirmed(tag, multiple, accepted);
                }
            }
            Method::Answer(answer) => self.mux.answered(channel, answer),
            Method::Cancelled => {
                if let Some(route) = self.mux.routed(channel) {
                    route.cancelled();
                }
            }
            Method::Close(refusal) => {
                self.partial.remove(&channel);
                self.mux.refused(channel, refusal);
            }
            Method::CloseOk => {
                self.partial.remove(&channel);
                self.mux.closed(channel);
            }
            Method::CloseConnection(refusal) => self.ended = Some(Ended::Dismissed(refusal)),
            Method::CloseConnectionOk => self.ended = Some(Ended::Closed),
            Method::Blocked(reason) => self.alarm(Some(reason.as_str().into())),
            Method::Unblocked => self.alarm(None),
            Method::Start { .. } | Method::Tune(_) | Method::Open | Method::Other => {
                debug!(channel, "the broker said something that nobody has a use for");
            }
        }
        Ok(())
    }

    fn alarm(&self, reason: Option<Arc<str>>) {
        self.mux.blocked().send_modify(|blocked| blocked.alarm = reason);
    }

    fn begin(&mut self, channel: u16, delivery: Delivery, returned: bool) {
        let route = self.mux.routed(channel);
        if route.is_none() {
            debug!(channel, "dropped a message on a channel that nobody listens to any more");
        }
        let (missing, body, oversized) = (None, BytesMut::new(), None);
        // Nobody asks for the body of one that nobody wants, or that came back.
        let dropped = route.is_none() || returned;
        let partial = Partial { route, delivery, returned, missing, body, dropped, oversized };
        self.partial.insert(channel, partial);
    }

    /// One that follows nothing is nobody's; a body, too.
    fn header(&mut self, channel: u16, payload: &[u8]) -> Result<(), Malformed> {
        let Some(partial) = self.partial.get_mut(&channel) else { return Ok(()) };
        let size = read_content(payload, &mut partial.message().properties).ok_or(Malformed)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        partial.missing = Some(size);
        if size > BELIEVED && partial.route.as_ref().is_some_and(|route| size > route.most_body()) {
            partial.dropped = true;
            partial.message().dropped = size;
        }
        if size == 0 {
            self.complete(channel, Bytes::new());
        }
        Ok(())
    }

    /// Of a message with such a header nothing is known but its place.
    fn oversized_header(&mut self, channel: u16, frame: usize, body: u64) {
        let Some(partial) = self.partial.get_mut(&channel) else { return };
        partial.dropped = true;
        partial.oversized = Some(frame);
        partial.missing = Some(usize::try_from(body).unwrap_or(usize::MAX));
        if body == 0 {
            self.complete(channel, Bytes::new());
        }
    }

    fn body(&mut self, channel: u16, chunk: Chunk<'_>) {
        let Some(partial) = self.partial.get_mut(&channel) else { return };
        let Some(missing) = partial.missing else { return };
        let rest = missing.saturating_sub(chunk.bytes().len());
        partial.missing = Some(rest);
        if partial.dropped {
            if rest == 0 {
                self.complete(channel, Bytes::new());
            }
            return;
        }
        if partial.body.is_empty() {
            if rest == 0 {
                let body = chunk.into_bytes();
                self.complete(channel, body);
                return;
            }
            partial.body.reserve(missing.min(BELIEVED));
        }
        partial.body.extend_from_slice(chunk.bytes());
        if rest == 0 {
            let body = std::mem::take(&mut partial.body).freeze();
            self.complete(channel, body);
        }
    }

    fn complete(&mut self, channel: u16, body: Bytes) {
        let Some(mut partial) = self.partial.remove(&channel) else { return };
        self.messages += 1;
        let Some(route) = partial.route.take() else { return };
        if let (Some(size), false) = (partial.oversized, partial.returned) {
            route.unreadable(partial.delivery.tag, size);
        } else if partial.returned {
            route.returned(std::mem::take(&mut partial.message().properties));
        } else {
            partial.message().body = body;
            route.delivered(partial.delivery);
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
