//! The frames that carry messages, read and written: what AMQP 0-9-1 says of the class `basic`.
//!
//! Whatever is read here may have been written by anybody. Nothing is taken for granted: lengths are checked before
//! anything is taken, tables are walked so deep and no deeper, and a string that is no text becomes one.

mod cursor;
mod frames;
mod headers;
mod method;
mod properties;

pub(super) use frames::{Frames, Item, Malformed, next_frame};
pub(super) use method::{Method, Refusal};
pub(super) use properties::{Content, read_content};

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
const CHANNEL: u16 = 20;
const BASIC: u16 = 60;

/// What a side sends that has nothing else to say.
pub(super) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];

/// The properties of a message, from their flags on.
#[cfg(fuzzing)]
pub(crate) fn fuzz_properties(written: &[u8]) -> Option<crate::transport::Properties> {
    let payload = [&[0; 12], written].concat();
    read_content(&payload).map(|content| content.properties)
}
