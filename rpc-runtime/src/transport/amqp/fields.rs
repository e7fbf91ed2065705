//! AMQP's encoding of strings and tables, as far as it takes to make them harmless.

use crate::envelope::{HOSTILE, MAX_HEADER_DEPTH};

/// Walks over bytes that somebody else wrote: it never goes beyond their end.
pub(super) struct Cursor<'a> {
    rest: &'a mut [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { rest: bytes }
    }

    fn bytes(&mut self, count: usize) -> Option<&'a mut [u8]> {
        let (taken, rest) = std::mem::take(&mut self.rest).split_at_mut_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes(count).map(drop)
    }

    fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.bytes(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn long(&mut self) -> Option<&'a mut [u8]> {
        let length = u32::from_be_bytes(*self.bytes(4)?.first_chunk()?);
        self.bytes(usize::try_from(length).ok()?)
    }

    pub(super) fn short_string(&mut self) -> Option<&'a mut [u8]> {
        let length = self.u8()?;
        self.bytes(usize::from(length))
    }

    /// A table without its length.
    pub(super) fn table(&mut self) -> Option<&'a mut [u8]> {
        self.long()
    }
}

/// Replaces what is no text, so that the rest reads as it did.
pub(super) fn make_text(bytes: &mut [u8]) {
    if std::str::from_utf8(bytes).is_err() {
        for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii()) {
            *byte = b'?';
        }
    }
}

/// Replaces a table that is nested too deep, or is none, by one that says so.
pub(super) fn make_table_harmless(table: &mut [u8]) {
    if walk_table(&mut Cursor::new(table), 0).is_none() {
        replace(table);
    }
}

/// `None`: too deep, or not a table.
fn walk_table(cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
    while !cursor.rest.is_empty() {
        make_text(cursor.short_string()?);
        walk_value(cursor, depth)?;
    }
    Some(())
}

fn walk_array(cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
    while !cursor.rest.is_empty() {
        walk_value(cursor, depth)?;
    }
    Some(())
}

fn walk_value(cursor: &mut Cursor<'_>, depth: usize) -> Option<()> {
    let kind = cursor.u8()?;
    match kind {
        b'V' => Some(()),
        b't' | b'b' | b'B' => cursor.skip(1),
        b's' | b'U' | b'u' => cursor.skip(2),
        b'I' | b'i' | b'f' => cursor.skip(4),
        b'D' => cursor.skip(5),
        b'l' | b'L' | b'd' | b'T' => cursor.skip(8),
        b'S' | b'x' => cursor.long().map(drop),
        // One level more than is allowed stays, so that the server sees for itself what it refuses.
        b'F' | b'A' if depth > MAX_HEADER_DEPTH => None,
        b'F' => walk_table(&mut Cursor::new(cursor.long()?), depth + 1),
        b'A' => walk_array(&mut Cursor::new(cursor.long()?), depth + 1),
        _ => None,
    }
}

/// Writes one header over all of a table: its name, and a string to fill the rest.
fn replace(table: &mut [u8]) {
    let mut bytes = Vec::with_capacity(table.len());
    if let Some(filler) = table.len().checked_sub(1 + HOSTILE.len() + 1 + 4) {
        bytes.push(u8::try_from(HOSTILE.len()).unwrap_or_default());
        bytes.extend(HOSTILE.as_bytes());
        bytes.push(b'S');
        bytes.extend(u32::try_from(filler).unwrap_or_default().to_be_bytes());
        bytes.resize(table.len(), b' ');
    } else if let Some(name) = table.len().checked_sub(2) {
        // Too short for that: a name alone, without a value.
        bytes.push(u8::try_from(name).unwrap_or_default());
        bytes.resize(1 + name, b'?');
        bytes.push(b'V');
    } else {
        return;
    }
    table.copy_from_slice(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_table_becomes_one_of_the_same_length() {
        for length in 2..100 {
            let mut table = vec![0xff; length];
            make_table_harmless(&mut table);
            assert_eq!(table.len(), length);
            let walked = walk_table(&mut Cursor::new(&mut table.clone()), 0);
            assert!(walked.is_some(), "{length}: {table:?}");
        }
    }

    #[test]
    fn names_that_are_no_text_are_mended_and_the_table_stays() {
        let mut table = vec![2, b'a', 0xff, b'V'];
        make_table_harmless(&mut table);
        assert_eq!(table, [2, b'a', b'?', b'V']);
    }
}
