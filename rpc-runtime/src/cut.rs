//! Truncates text to a number of bytes.

/// Truncates a text to at most `bytes` bytes, at a character boundary.
pub(crate) fn cut(text: &mut String, bytes: usize) {
    text.truncate(prefix(text, bytes).len());
}

/// The longest prefix of at most `bytes` bytes that ends at a character boundary.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    (0..=bytes).rev().find_map(|end| text.get(..end.min(text.len()))).unwrap_or_default()
}
