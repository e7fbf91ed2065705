//! The protocol: frames and the methods in them, read and written. No I/O.
//!
//! Anybody may have written what is read here. Lengths are checked before anything is taken, tables are walked to a bounded
//! depth, and a string that is not UTF-8 is mended.

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

/// The kinds of frames, by their first byte.
pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;

/// Kind, channel and size.
pub(crate) const PREFIX: usize = 7;
/// The byte that ends a frame.
pub(crate) const END: u8 = 0xce;

/// The classes of methods.
const CONNECTION: u16 = 10;
const CHANNEL: u16 = 20;
const EXCHANGE: u16 = 40;
const QUEUE: u16 = 50;
const BASIC: u16 = 60;
const CONFIRM: u16 = 85;

/// The first bytes of a connection: the protocol and its version.
pub(crate) const GREETING: [u8; 8] = *b"AMQP\x00\x00\x09\x01";

/// A sign of life, where nothing else is sent.
pub(crate) const HEARTBEAT_FRAME: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];
