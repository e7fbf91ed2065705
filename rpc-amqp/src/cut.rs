//! Cuts text to the length limits of the protocol.

/// The longest prefix of whole characters in this number of bytes.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    (0..=bytes).rev().find_map(|end| text.get(..end.min(text.len()))).unwrap_or_default()
}
