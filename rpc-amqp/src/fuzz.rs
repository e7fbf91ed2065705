//! The functions that the targets in `fuzz/` call. Only cargo-fuzz builds them. They are not public API.

use crate::{Properties, connection::replay, protocol::read_content};

/// Frames as received from the socket. The first byte is the size of the pieces.
pub fn frames(bytes: &[u8]) {
    if let [piece, stream @ ..] = bytes {
        replay::check(stream, 1 + usize::from(*piece));
    }
}

/// The properties of a message, starting with their flags.
pub fn properties(bytes: &[u8]) -> Option<Properties> {
    let payload = [&[0; 12], bytes].concat();
    let mut properties = Properties::default();
    read_content(&payload, &mut properties).map(|_| properties)
}
