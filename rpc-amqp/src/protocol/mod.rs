//! The protocol: frames and the methods in them, read and written. No I/O.
//!
//! All input is untrusted. Lengths are checked before anything is read, the depth of tables is bounded, and strings
//! that are not UTF-8 are repaired.

mod command;
mod cursor;
mod frames;
mod method;
mod properties;
mod read_table;
mod table;

pub use command::{ExchangeDeclaration, QueueDeclaration};
pub use method::CloseReason;

pub(crate) use command::{Client, Command};
pub(crate) use frames::{Frames, Item, Malformed, next_frame};
pub(crate) use method::{Answer, Method, Tuning};
pub(crate) use properties::{read_body_size, read_content};

/// The kinds of frames, which are the first byte of a frame.
pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;

/// The size of a frame header: kind, channel and payload size.
pub(crate) const PREFIX: usize = 7;
/// The last byte of each frame.
pub(crate) const END: u8 = 0xce;

/// The method classes.
const CONNECTION: u16 = 10;
const CHANNEL: u16 = 20;
const EXCHANGE: u16 = 40;
const QUEUE: u16 = 50;
const BASIC: u16 = 60;
const CONFIRM: u16 = 85;

/// The first bytes that a client sends: the protocol and its version.
pub(crate) const GREETING: [u8; 8] = *b"AMQP\x00\x00\x09\x01";

/// A heartbeat frame.
pub(crate) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];
