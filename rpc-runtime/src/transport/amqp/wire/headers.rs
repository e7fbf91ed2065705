//! The table of headers. What this framework has no use for is measured and not built.

use bytes::{BufMut, BytesMut};
use smallvec::smallvec;
use smol_str::SmolStr;

use super::{
    cursor::Cursor,
    frames::put_short,
    table::{put_boolean, put_integer, put_table, put_text},
};
use crate::{
    envelope::{HOSTILE, MAX_HEADER_DEPTH},
    transport::{HeaderValue, Headers},
};

/// The headers of a table. One that is nested too deep, or is no table, becomes a single header that says so, which
/// whoever checks headers refuses.
pub(super) fn read(table: &[u8]) -> Headers {
    members(Cursor::new(table)).unwrap_or_else(hostile)
}

pub(super) fn hostile() -> Headers {
    smallvec![(SmolStr::new_static(HOSTILE), HeaderValue::Opaque { size: 0, depth: 0 })]
}

fn members(mut table: Cursor<'_>) -> Option<Headers> {
    let mut headers = Headers::new();
    while !table.is_empty() {
        headers.push((table.text()?, value(&mut table)?));
    }
    Some(headers)
}

fn value(cursor: &mut Cursor<'_>) -> Option<HeaderValue> {
    let mut ahead = cursor.clone();
    let known = match ahead.u8()? {
        b'S' => match std::str::from_utf8(ahead.long()?) {
            Ok(text) => HeaderValue::Text(text.into()),
            Err(_) => return measured(cursor),
        },
        b't' => HeaderValue::Boolean(ahead.u8()? != 0),
        b'b' => HeaderValue::Integer(i64::from(ahead.u8()?.cast_signed())),
        b'B' => HeaderValue::Integer(i64::from(ahead.u8()?)),
        b's' | b'U' => HeaderValue::Integer(i64::from(ahead.u16()?.cast_signed())),
        b'u' => HeaderValue::Integer(i64::from(ahead.u16()?)),
        b'I' => HeaderValue::Integer(i64::from(ahead.u32()?.cast_signed())),
        b'i' => HeaderValue::Integer(i64::from(ahead.u32()?)),
        // RabbitMQ takes both for signed.
        b'l' | b'L' => HeaderValue::Integer(ahead.i64()?),
        _ => return measured(cursor),
    };
    *cursor = ahead;
    Some(known)
}

fn measured(cursor: &mut Cursor<'_>) -> Option<HeaderValue> {
    let (size, depth) = measure(cursor, 0)?;
    Some(HeaderValue::Opaque { size, depth })
}

/// Size in bytes, and how many tables or arrays deep; `None`: too deep, or no value.
fn measure(cursor: &mut Cursor<'_>, level: usize) -> Option<(usize, usize)> {
    let scalar = match cursor.u8()? {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        b'S' | b'x' => return Some((cursor.long()?.len(), level)),
        // One level more than is allowed is measured, so that who refuses it can say why.
        b'F' | b'A' if level > MAX_HEADER_DEPTH => return None,
        b'F' => return inside(cursor.long()?, level, |member| member.short().map(<[u8]>::len)),
        b'A' => return inside(cursor.long()?, level, |_| Some(0)),
        _ => return None,
    };
    cursor.bytes(scalar)?;
    Some((8, level))
}

fn inside(
    members: &[u8],
    level: usize,
    name: impl Fn(&mut Cursor<'_>) -> Option<usize>,
) -> Option<(usize, usize)> {
    let (mut cursor, mut size, mut deepest) = (Cursor::new(members), 0, level + 1);
    while !cursor.is_empty() {
        let name = name(&mut cursor)?;
        let (inner, depth) = measure(&mut cursor, level + 1)?;
        size += name + inner + 1;
        deepest = deepest.max(depth);
    }
    Some((size, deepest))
}

/// Writes a table, with its length.
pub(super) fn write(to: &mut BytesMut, headers: &[(SmolStr, HeaderValue)]) {
    put_table(to, |to| {
        for (name, value) in headers {
            put_short(to, name);
            match value {
                HeaderValue::Text(text) => put_text(to, text),
                HeaderValue::Integer(number) => put_integer(to, *number),
                HeaderValue::Boolean(flag) => put_boolean(to, *flag),
                HeaderValue::Opaque { .. } => to.put_u8(b'V'),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    /// A header whose value is an integer in arrays, so deep.
    fn nested(depth: usize) -> Vec<u8> {
        let number = [&b"l"[..], &[0; 8]].concat();
        let value = (0..depth).fold(number, |inner, _| [&b"A"[..], &long(&inner)].concat());
        [&b"\x01n"[..], &value].concat()
    }

    #[test]
    fn what_is_nested_is_measured() {
        let expected: Headers =
            smallvec![("n".into(), HeaderValue::Opaque { depth: 30, size: 38 })];
        assert_eq!(read(&nested(30)), expected);
    }

    #[test]
    fn what_is_nested_too_deep_or_is_no_table_is_said_to_be_hostile() {
        for depth in [40, 1_000, 20_000] {
            assert_eq!(read(&nested(depth)), hostile());
        }
        for table in [&b"\x05ab"[..], b"\x01aZ", b"\x01aS\xff\xff\xff\xff", b"\x01a"] {
            assert_eq!(read(table), hostile(), "{table:?}");
        }
    }

    #[test]
    fn names_that_are_no_text_are_mended_and_values_measured() {
        let read = read(b"\x02a\xffS\x00\x00\x00\x02\xff\xfe");
        let value = HeaderValue::Opaque { size: 2, depth: 0 };
        assert_eq!(read[..], [("a?".into(), value)]);
    }
}
