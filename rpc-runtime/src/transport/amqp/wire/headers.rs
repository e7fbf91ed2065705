//! The table of headers. What this framework has no use for is measured and not built.

use bytes::{BufMut, BytesMut};
use smallvec::smallvec;
use smol_str::SmolStr;

use super::{
    cursor::Cursor,
    frames::put_short,
    table::{put_boolean, put_integer, put_small_integer, put_table, put_text},
};
use crate::{
    message::{DEATHS, HeaderValue, Headers},
    wire::{HOSTILE, MAX_HEADER_DEPTH, MAX_TABLE_BYTES},
};

/// A table of so many bytes takes little room, whatever is in it. A larger one is measured before anything is built of it:
/// a header of four bytes takes over fifty in memory.
const MEASURED_FROM: usize = 1024;

/// The headers of a table. One that is nested too deep, or is no table, becomes a single header that says so, which
/// whoever checks headers refuses; so does one with more than is accepted, of which only the size is kept.
pub(super) fn read(table: &[u8]) -> Headers {
    let mut count = 0;
    if table.len() > MEASURED_FROM {
        let Some((headers, size)) = measure_members(Cursor::new(table)) else { return hostile() };
        if size > MAX_TABLE_BYTES {
            return stand_in(size);
        }
        count = headers;
    }
    members(Cursor::new(table), count).unwrap_or_else(hostile)
}

pub(super) fn hostile() -> Headers {
    stand_in(0)
}

/// What stands in the place of headers of which only the size is known.
fn stand_in(size: usize) -> Headers {
    smallvec![(SmolStr::new_static(HOSTILE), HeaderValue::Opaque { size, depth: 0 })]
}

/// How many headers there are, and how large they are together: as many bytes as whoever checks headers counts.
fn measure_members(mut table: Cursor<'_>) -> Option<(usize, usize)> {
    let (mut count, mut size) = (0, 0);
    while !table.is_empty() {
        size += table.short()?.len();
        let mut ahead = table.clone();
        let is_flag = ahead.u8()? == b't';
        let (value, _) = measure(&mut table, 0)?;
        size += if is_flag { 1 } else { value };
        count += 1;
    }
    Some((count, size))
}

fn members(mut table: Cursor<'_>, count: usize) -> Option<Headers> {
    let mut headers = Headers::with_capacity(count);
    while !table.is_empty() {
        let name = table.text()?;
        let value = if name == DEATHS { deaths(&mut table) } else { value(&mut table) };
        headers.push((name, value?));
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

/// What RabbitMQ says of a message that it dead-lettered: an array of tables, each with a reason.
fn deaths(cursor: &mut Cursor<'_>) -> Option<HeaderValue> {
    let mut written = cursor.clone();
    let (size, depth) = measure(cursor, 0)?;
    let expired = written.u8()? == b'A' && any_expired(written.long()?)?;
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    Some(HeaderValue::Deaths { size, depth: u8::try_from(depth).unwrap_or(u8::MAX), expired })
}

fn any_expired(entries: &[u8]) -> Option<bool> {
    let mut entries = Cursor::new(entries);
    while !entries.is_empty() {
        let mut entry = entries.clone();
        measure(&mut entries, 1)?;
        if entry.u8()? == b'F' && has_expired(entry.long()?)? {
            return Some(true);
        }
    }
    Some(false)
}

fn has_expired(entry: &[u8]) -> Option<bool> {
    let mut entry = Cursor::new(entry);
    while !entry.is_empty() {
        let (name, mut value) = (entry.short()?, entry.clone());
        measure(&mut entry, 2)?;
        if name == b"reason" && value.u8()? == b'S' && value.long()? == b"expired" {
            return Some(true);
        }
    }
    Some(false)
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
                HeaderValue::Small(number) => put_small_integer(to, *number),
                HeaderValue::Boolean(flag) => put_boolean(to, *flag),
                HeaderValue::Opaque { .. } | HeaderValue::Deaths { .. } => to.put_u8(b'V'),
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

    /// `x-death` with an entry for each of the reasons.
    fn deaths(reasons: &[&str]) -> Vec<u8> {
        let entry = |reason: &&str| {
            let table = [b"\x05countl\0\0\0\0\0\0\0\x01\x06reasonS", &long(reason.as_bytes())[..]];
            [&b"F"[..], &long(&table.concat())].concat()
        };
        let entries: Vec<u8> = reasons.iter().flat_map(entry).collect();
        [&b"\x07x-deathA"[..], &long(&entries)].concat()
    }

    #[test]
    fn what_expired_in_a_queue_is_known() {
        for (reasons, known) in [
            (&[][..], false),
            (&["rejected"], false),
            (&["expired"], true),
            (&["rejected", "maxlen", "expired"], true),
            (&["not-expired"], false),
        ] {
            let read = read(&deaths(reasons));
            let [(name, HeaderValue::Deaths { expired, .. })] = &read[..] else {
                panic!("{read:?}")
            };
            assert_eq!((name.as_str(), *expired), ("x-death", known), "{reasons:?}");
        }
        // Somebody else may have written anything there.
        for table in
            [&b"\x07x-deathS\0\0\0\x07expired"[..], b"\x07x-deathV", b"\x07x-deathA\0\0\0\x01V"]
        {
            let read = read(table);
            assert!(
                matches!(&read[..], [(_, HeaderValue::Deaths { expired: false, .. })]),
                "{read:?}"
            );
        }
        let deep = [&b"\x07x-death"[..], &nested(1_000)[2..]].concat();
        assert_eq!(read(&deep), hostile());
    }

    #[test]
    fn a_table_of_many_headers_is_measured_and_not_built() {
        let flags = |count| b"\x01at\x01".repeat(count);
        let most = MAX_TABLE_BYTES / 2;
        assert_eq!(read(&flags(most)).len(), most);
        let expected: Headers =
            smallvec![(HOSTILE.into(), HeaderValue::Opaque { size: 2 * most + 2, depth: 0 })];
        assert_eq!(read(&flags(most + 1)), expected);
        let text = [&b"\x01aS"[..], &long(&vec![b'x'; MAX_TABLE_BYTES])].concat();
        assert_eq!(read(&text).len(), 1);
        assert_eq!(read(&text)[0].1.size(), MAX_TABLE_BYTES + 1);
    }

    /// What is measured is what those who check headers count: else some would be refused by one and accepted by the other.
    #[test]
    fn headers_measure_what_they_are_counted_as() {
        let long_text = [&b"\x01aS"[..], &long(&[b'x'; 2000])].concat();
        let odd_text = [&b"\x02abS"[..], &long(&[0xff; 9])].concat();
        let rest = b"\x01bt\x01\x00V\x01cb\x07\x01dl\0\0\0\0\0\0\0\x01\x01eD\0\0\0\0\0";
        let table = [&long_text[..], &odd_text, rest, &nested(3)].concat();
        let headers = read(&table);
        let counted = headers.iter().map(|(name, value)| name.len() + value.size()).sum();
        assert_eq!(measure_members(Cursor::new(&table)), Some((headers.len(), counted)));
    }

    #[test]
    fn names_that_are_no_text_are_mended_and_values_measured() {
        let read = read(b"\x02a\xffS\x00\x00\x00\x02\xff\xfe");
        let value = HeaderValue::Opaque { size: 2, depth: 0 };
        assert_eq!(read[..], [("a?".into(), value)]);
    }
}
