//! Tables and their values, written.

use bytes::{BufMut, BytesMut};

use super::frames::put_length;

/// A table with these members, each of which is a name and a value.
pub(super) fn put_table(to: &mut BytesMut, members: impl FnOnce(&mut BytesMut)) {
    let start = to.len();
    to.put_u32(0);
    members(to);
    put_length(to, start);
}

pub(super) fn put_text(to: &mut BytesMut, text: &str) {
    to.put_u8(b'S');
    put_long(to, text.as_bytes());
}

pub(super) fn put_integer(to: &mut BytesMut, number: i64) {
    to.put_u8(b'l');
    to.put_i64(number);
}

pub(super) fn put_small_integer(to: &mut BytesMut, number: i32) {
    to.put_u8(b'I');
    to.put_i32(number);
}

pub(super) fn put_boolean(to: &mut BytesMut, flag: bool) {
    to.put_u8(b't');
    to.put_u8(u8::from(flag));
}

/// Bytes after their length, of four bytes.
pub(super) fn put_long(to: &mut BytesMut, bytes: &[u8]) {
    to.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    to.put_slice(bytes);
}
