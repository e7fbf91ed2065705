//! What stands between the socket and lapin.
//!
//! Two things that any peer can put into a message would end lapin: tables nested a thousand deep overflow the stack of
//! its thread and abort the process; and a short string that is not UTF-8 is taken for a broken connection. The broker
//! would then deliver the message to the next server. So the frames that carry them are read here first, and made
//! harmless in place, byte for byte of the same length: a hostile table becomes one header that the server refuses by
//! name, and each byte of a string that is no text becomes a question mark.

use super::fields::{self, Cursor};

/// Frames are this type of thing, by their first byte.
const METHOD: u8 = 1;
const HEADER: u8 = 2;

/// Type, channel and size.
const PREFIX: usize = 7;
/// The byte that ends a frame.
const END: usize = 1;

const BASIC: u16 = 60;
const RETURN: u16 = 50;
const DELIVER: u16 = 60;

/// How much is read at a time; a frame that is looked into is held whole, up to the size that was agreed on.
const CHUNK: usize = 64 * 1024;
pub(super) const LARGEST_HELD: usize = super::address::FRAME_MAX as usize + PREFIX + END;

/// Bytes on their way to lapin.
#[derive(Debug, Default)]
pub(super) struct Guard {
    buffer: Vec<u8>,
    /// Before this, everything was taken.
    taken: usize,
    /// Before this, everything may be taken.
    passed: usize,
    /// Before this, everything has been filled.
    filled: usize,
    /// So much of what comes next belongs to a frame that is not looked into.
    unlooked: usize,
}

impl Guard {
    /// Where to read to: after what is held already.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.taken == self.filled {
            (self.taken, self.passed, self.filled) = (0, 0, 0);
        } else if self.taken > 0 {
            self.buffer.copy_within(self.taken..self.filled, 0);
            self.passed -= self.taken;
            self.filled -= self.taken;
            self.taken = 0;
        }
        if self.buffer.len() < self.filled + CHUNK {
            self.buffer.resize(self.filled + CHUNK, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// So many bytes were read to [`space`](Self::space).
    pub(super) fn filled(&mut self, bytes: usize) {
        self.filled += bytes;
        while self.look() {}
    }

    /// How much of what comes next need not come through here.
    pub(super) fn direct(&self) -> usize {
        if self.passed == self.filled { self.unlooked } else { 0 }
    }

    /// So much of it did not.
    pub(super) fn went_directly(&mut self, bytes: usize) {
        self.unlooked -= bytes;
    }

    /// Hands out what may be taken.
    pub(super) fn take(&mut self, to: &mut [u8]) -> usize {
        let bytes = to.len().min(self.passed - self.taken);
        to[..bytes].copy_from_slice(&self.buffer[self.taken..self.taken + bytes]);
        self.taken += bytes;
        bytes
    }

    /// Lets the next frame pass, or what there is of it; `false` if that takes more bytes.
    fn look(&mut self) -> bool {
        if self.unlooked > 0 {
            let bytes = self.unlooked.min(self.filled - self.passed);
            self.passed += bytes;
            self.unlooked -= bytes;
            return self.passed < self.filled;
        }
        let held = &mut self.buffer[self.passed..self.filled];
        let Some(&[kind, _, _, a, b, c, d]) = held.first_chunk::<PREFIX>() else {
            return false;
        };
        let frame = u32::from_be_bytes([a, b, c, d]) as usize + PREFIX + END;
        // One that is larger than agreed is lapin's to refuse.
        if !matches!(kind, METHOD | HEADER) || frame > LARGEST_HELD {
            self.unlooked = frame;
            return true;
        }
        let Some(frame) = held.get_mut(..frame) else {
            return false;
        };
        let end = frame.len() - END;
        make_harmless(kind, &mut frame[PREFIX..end]);
        self.passed += end + END;
        self.passed < self.filled
    }
}

fn make_harmless(kind: u8, payload: &mut [u8]) {
    let mut cursor = Cursor::new(payload);
    // What does not have the form of its kind is lapin's to refuse; the broker, which writes it, is not hostile.
    let _ = match kind {
        METHOD => make_method_harmless(&mut cursor),
        _ => make_header_harmless(&mut cursor),
    };
}

/// Exchanges and routing keys are chosen by whoever published.
fn make_method_harmless(cursor: &mut Cursor<'_>) -> Option<()> {
    match (cursor.u16()?, cursor.u16()?) {
        (BASIC, DELIVER) => {
            cursor.short_string()?;
            cursor.skip(8 + 1)?;
        }
        (BASIC, RETURN) => {
            cursor.skip(2)?;
            cursor.short_string()?;
        }
        _ => return None,
    }
    fields::make_text(cursor.short_string()?);
    fields::make_text(cursor.short_string()?);
    Some(())
}

/// The properties of a message, as their flags say.
fn make_header_harmless(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.skip(2 + 2 + 8)?;
    let flags = cursor.u16()?;
    for bit in (2..16).rev() {
        if flags & (1 << bit) == 0 {
            continue;
        }
        match bit {
            13 => fields::make_table_harmless(cursor.table()?),
            // delivery-mode, priority
            12 | 11 => cursor.skip(1)?,
            // timestamp
            6 => cursor.skip(8)?,
            _ => fields::make_text(cursor.short_string()?),
        }
    }
    Some(())
}

#[cfg(test)]
mod property_tests;

#[cfg(test)]
mod tests {
    use super::super::oracle::{content_header, frame, through};
    use super::*;
    use crate::envelope::HOSTILE;

    fn short(text: &[u8]) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()][..], text].concat()
    }

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    /// A table of tables, so deep.
    fn nested(depth: usize) -> Vec<u8> {
        (0..depth).fold(long(&[]), |inner, _| long(&[&short(b"t")[..], b"F", &inner].concat()))
    }

    /// A content header with headers, a priority and a correlation id.
    fn header(table: &[u8], correlation_id: &[u8]) -> Vec<u8> {
        let flags: u16 = 1 << 13 | 1 << 11 | 1 << 10;
        content_header(&[&flags.to_be_bytes()[..], table, &[5], &short(correlation_id)].concat())
    }

    fn deliver(routing_key: &[u8]) -> Vec<u8> {
        let head = [&60u16.to_be_bytes()[..], &60u16.to_be_bytes(), &short(b"tag"), &[0; 9]];
        frame(METHOD, &[&head.concat()[..], &short(b"exchange"), &short(routing_key)].concat())
    }

    #[test]
    fn harmless_frames_pass_as_they_are_in_pieces_of_every_size() {
        let stream = [
            deliver(b"queue.method"),
            header(&nested(30), "é".as_bytes()),
            frame(3, &vec![7; 200_000]),
            frame(8, b""),
            header(&long(b""), b"id"),
            frame(3, b"body"),
        ]
        .concat();
        for piece in [1, 2, 7, 8, 100, 4_096, stream.len()] {
            for room in [1, 3, 10_000] {
                assert!(through(&stream, piece, room) == stream, "{piece} {room}");
            }
        }
    }

    #[test]
    fn a_table_that_is_too_deep_becomes_one_header_and_all_else_stays() {
        for depth in [40, 1_000, 20_000] {
            let hostile = header(&nested(depth), b"id");
            let passed = through(&hostile, 1_000, 1_000);
            if hostile.len() > LARGEST_HELD {
                assert!(passed == hostile, "lapin refuses a frame that is larger than agreed");
                continue;
            }
            assert_eq!(passed.len(), hostile.len());
            assert_eq!(passed[..25], hostile[..25], "up to the table's length");
            let end = hostile.len() - 5;
            assert_eq!(passed[end..], hostile[end..], "from the priority on");
            let name = &passed[26..26 + HOSTILE.len()];
            assert_eq!(name, HOSTILE.as_bytes());
            assert!(!passed[26..end].contains(&b'F'), "no table is left in it");
        }
    }

    #[test]
    fn bytes_that_are_no_text_become_question_marks() {
        let passed = through(&header(&long(b""), &[b'a', 0xff, 0xfe]), 5, 5);
        assert_eq!(passed, header(&long(b""), b"a??"));
        assert_eq!(through(&deliver(&[b'q', b'.', 0xc3]), 5, 5), deliver(b"q.?"));
    }
}
