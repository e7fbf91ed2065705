//! Writes tables and their values.

use bytes::{BufMut, BytesMut};
use smol_str::SmolStr;

use super::frames::{put_length, put_short};
use crate::message::Value;

/// A table with these members. Each member is a name and a value.
pub(super) fn put_table(to: &mut BytesMut, members: impl FnOnce(&mut BytesMut)) {
    let start = to.len();
    to.put_u32(0);
    members(to);
    put_length(to, start);
}

/// An array with these values.
pub(super) fn put_values(to: &mut BytesMut, values: &[(SmolStr, Value)]) {
    put_table(to, |to| {
        for (name, value) in values {
            put_short(to, name);
            match value {
                Value::Text(text) => put_text(to, text),
                Value::Integer(number) => {
                    to.put_u8(b'l');
                    to.put_i64(*number);
                }
                Value::Small(number) => {
                    to.put_u8(b'I');
                    to.put_i32(*number);
                }
                Value::Boolean(flag) => put_boolean(to, *flag),
                Value::Opaque { .. } | Value::Deaths { .. } => to.put_u8(b'V'),
            }
        }
    });
}

pub(super) fn put_text(to: &mut BytesMut, text: &str) {
    to.put_u8(b'S');
    put_long(to, text.as_bytes());
}

pub(super) fn put_boolean(to: &mut BytesMut, flag: bool) {
    to.put_u8(b't');
    to.put_u8(u8::from(flag));
}

/// Bytes with a length prefix of four bytes.
pub(super) fn put_long(to: &mut BytesMut, bytes: &[u8]) {
    to.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    to.put_slice(bytes);
}
