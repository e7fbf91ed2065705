//! Cutting text to a length that the protocol has.

/// What fits into so many bytes, up to the end of a character.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    (0..=bytes).rev().find_map(|end| text.get(..end.min(text.len()))).unwrap_or_default()
}
