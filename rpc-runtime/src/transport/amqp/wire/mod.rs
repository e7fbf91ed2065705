//! Frames, read and written: the part of AMQP 0-9-1 that calls need.
//!
//! Whatever is read here may have been written by anybody. Nothing is taken for granted: lengths are checked before
//! anything is taken, tables are walked so deep and no deeper, and a string that is no text becomes one.

mod command;
mod cursor;
mod frames;
mod headers;
mod method;
mod properties;
mod table;

pub(super) use command::{Command, QueueDeclaration};
pub(super) use frames::{Frames, Item, Malformed, next_frame};
pub(super) use method::{Answer, Method, Refusal, Tuning};
pub(super) use properties::{read_body_size, read_content};

/// The kinds of frames, by their first byte.
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// Kind, channel and size.
pub(super) const PREFIX: usize = 7;
/// The byte that ends a frame.
pub(super) const END: u8 = 0xce;

/// The classes of methods.
const CONNECTION: u16 = 10;
const CHANNEL: u16 = 20;
const EXCHANGE: u16 = 40;
const QUEUE: u16 = 50;
const BASIC: u16 = 60;
const CONFIRM: u16 = 85;

/// What a connection begins with: the protocol and its version.
pub(super) const GREETING: [u8; 8] = *b"AMQP\x00\x00\x09\x01";

/// What a side sends that has nothing else to say.
pub(super) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];

/// The properties of a message, from their flags on.
#[cfg(fuzzing)]
pub(crate) fn fuzz_properties(written: &[u8]) -> Option<crate::message::Properties> {
    let payload = [&[0; 12], written].concat();
    let mut properties = crate::message::Properties::default();
    read_content(&payload, &mut properties).map(|_| properties)
}
