//! Functions for the benchmarks in `benchmarks/`. They are not part of the API.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use smol_str::SmolStr;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    client::{InFlight, random_id},
    codec::{self, DecodeError, EncodeError, Encoding},
    contract::Payload,
    limits,
    message::Message,
    reply::Reply,
    transport::CallerSink as _,
    wire::{self, RequestHead, ReturnAddress},
};

/// Encodes the tuple of a method's arguments.
///
/// # Errors
///
/// The arguments cannot be encoded.
pub fn encode<A: Payload>(arguments: &A, encoding: Encoding) -> Result<Bytes, EncodeError> {
    codec::encode_arguments(arguments, &[], encoding)
}

/// Decodes the tuple of a method's arguments.
///
/// # Errors
///
/// The body does not decode to such a tuple.
pub fn decode<A: Payload>(body: &[u8], encoding: Encoding) -> Result<A, DecodeError> {
    codec::decode_arguments(body, &[], encoding)
}

/// The request and the reply of a minimal call.
#[derive(Debug)]
pub struct Envelope {
    request: Message,
    reply: Message,
}

/// A message that was received.
#[derive(Debug)]
pub struct Received(Message);

impl Envelope {
    /// Writes both messages, to read them later; `None` if the request has no return address.
    pub fn new() -> Option<Self> {
        let request = request(Uuid::new_v4());
        let reply = reply(&ReturnAddress::of(&request.properties, Encoding::Bincode)?);
        Some(Self { request, reply })
    }

    /// Writes a request.
    pub fn write_request(&self) -> impl Sized + use<> {
        request(Uuid::new_v4())
    }

    /// Reads a request; `true` if it can be run.
    pub fn read_request(&self) -> bool {
        wire::read_request(&self.request.properties, Encoding::Bincode).is_ok()
    }

    /// Writes the reply to the request.
    pub fn write_reply(&self) -> impl Sized + use<> {
        ReturnAddress::of(&self.request.properties, Encoding::Bincode)
            .map(|address| reply(&address))
    }

    /// The reply, as it is received.
    pub fn received(&self) -> Received {
        Received(self.reply.clone())
    }

    /// Reads a reply.
    pub fn read_reply(received: Received) -> impl Sized {
        wire::read_reply(&received.0.properties, received.0.body)
    }
}

/// The table of calls in flight.
#[derive(Debug)]
pub struct Calls {
    in_flight: Arc<InFlight>,
}

impl Calls {
    /// A table with this many calls that never get a reply. It has to be called within a tokio runtime.
    pub fn new(others: usize) -> Self {
        let in_flight = InFlight::new(others + 1);
        // If the guards were dropped, their calls would leave the table.
        (0..others)
            .for_each(|_| std::mem::forget(in_flight.enter(random_id(), 1, false, deadline())));
        Self { in_flight }
    }

    /// Makes one more call: it enters the table, the broker accepts its request, and its reply arrives. Returns `true` if
    /// the call got the reply.
    pub async fn answered(&self) -> bool {
        let Ok(guard) = self.in_flight.enter(random_id(), 1, false, deadline()) else {
            return false;
        };
        let request = request(guard.correlation_id());
        let Some(address) = ReturnAddress::of(&request.properties, Encoding::Bincode) else {
            return false;
        };
        self.in_flight.settled(guard.correlation_id(), crate::transport::PublishOutcome::Accepted);
        self.in_flight.reply(reply(&address));
        matches!(guard.await, crate::client::Outcome::Reply(_))
    }
}

fn deadline() -> Instant {
    Instant::now() + limits::TIMEOUT
}

fn request(correlation_id: Uuid) -> Message {
    let head = RequestHead {
        exchange: &SmolStr::new_static(""),
        queue: &SmolStr::new_static("Fibonacci"),
        method: SmolStr::new_static("fib"),
        encoding: Encoding::Bincode,
        signature: SmolStr::new_static("0123456789abcdef"),
        correlation_id,
        message_id: correlation_id,
        reply_to: Some(&SmolStr::new("amq.gen-0123456789abcdefghijkl")),
        remaining: Some(Duration::from_secs(10)),
        sent: 1_700_000_000_000,
        persistent: false,
        priority: None,
        user_id: None,
        headers: &[],
    };
    wire::write_request(head, Bytes::from_static(&[30]))
}

fn reply(address: &ReturnAddress) -> Message {
    let body = Bytes::from_static(&[252, 0, 32, 12, 203]);
    wire::write_reply(address, Reply::Result { body, encoding: Encoding::Bincode })
}
