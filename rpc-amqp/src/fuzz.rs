//! What the targets in `fuzz/` call. Built by cargo-fuzz alone, and no part of the interface.

use crate::{Properties, connection::replay, protocol::read_content};

/// Frames as they come from the socket, after a byte with the size of the pieces that they come in.
pub fn frames(bytes: &[u8]) {
    if let [piece, stream @ ..] = bytes {
        replay::check(stream, 1 + usize::from(*piece));
    }
}

/// The properties of a message, from their flags on.
pub fn properties(bytes: &[u8]) -> Option<Properties> {
    let payload = [&[0; 12], bytes].concat();
    let mut properties = Properties::default();
    read_content(&payload, &mut properties).map(|_| properties)
}
