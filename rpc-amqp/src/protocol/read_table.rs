//! Reads tables. Only scalars are kept. All other values are measured and not built.

use smallvec::smallvec;
use smol_str::SmolStr;

use super::cursor::Cursor;
use crate::{
    limits::{MAX_TABLE_BYTES, MAX_TABLE_DEPTH},
    message::{DEATHS, Table, Value},
};

/// A table of this size, in bytes, needs little memory in any case. A larger one is measured before it is built,
/// because a header of four bytes takes over fifty in memory.
const MEASURED_FROM: usize = 1024;

/// Reads a table. If it is nested too deep or is not a table, the result is one value without a name and with infinite
/// depth. If it is too large, only its size is kept, in one value without a name.
pub(super) fn read(table: &[u8]) -> Table {
    let mut count = 0;
    if table.len() > MEASURED_FROM {
        let Some((headers, size)) = measure_members(Cursor::new(table)) else {
            return unreadable();
        };
        if size > MAX_TABLE_BYTES {
            return stand_in(size, 0);
        }
        count = headers;
    }
    members(Cursor::new(table), count).unwrap_or_else(unreadable)
}

/// Replaces a table that cannot be read.
pub(super) fn unreadable() -> Table {
    stand_in(0, usize::MAX)
}

fn stand_in(size: usize, depth: usize) -> Table {
    smallvec![(SmolStr::default(), Value::Opaque { size, depth })]
}

/// The number of values, and their total size: the sum of [`Value::size`] and the lengths of the names.
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

fn members(mut table: Cursor<'_>, count: usize) -> Option<Table> {
    let mut values = Table::with_capacity(count);
    while !table.is_empty() {
        let name = table.text()?;
        let value = if name == DEATHS { deaths(&mut table) } else { value(&mut table) };
        values.push((name, value?));
    }
    Some(values)
}

fn value(cursor: &mut Cursor<'_>) -> Option<Value> {
    let mut ahead = cursor.clone();
    let known = match ahead.u8()? {
        b'S' => match std::str::from_utf8(ahead.long()?) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => return measured(cursor),
        },
        b't' => Value::Boolean(ahead.u8()? != 0),
        b'b' => Value::Integer(i64::from(ahead.u8()?.cast_signed())),
        b'B' => Value::Integer(i64::from(ahead.u8()?)),
        b's' | b'U' => Value::Integer(i64::from(ahead.u16()?.cast_signed())),
        b'u' => Value::Integer(i64::from(ahead.u16()?)),
        b'I' => Value::Integer(i64::from(ahead.u32()?.cast_signed())),
        b'i' => Value::Integer(i64::from(ahead.u32()?)),
        // RabbitMQ treats both as signed.
        b'l' | b'L' => Value::Integer(ahead.i64()?),
        _ => return measured(cursor),
    };
    *cursor = ahead;
    Some(known)
}

/// RabbitMQ's `x-death` header of a dead-lettered message: an array of tables, each with a reason.
fn deaths(cursor: &mut Cursor<'_>) -> Option<Value> {
    let mut written = cursor.clone();
    let (size, depth) = measure(cursor, 0)?;
    let expired = written.u8()? == b'A' && any_expired(written.long()?)?;
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    Some(Value::Deaths { size, depth: u8::try_from(depth).unwrap_or(u8::MAX), expired })
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

fn measured(cursor: &mut Cursor<'_>) -> Option<Value> {
    let (size, depth) = measure(cursor, 0)?;
    Some(Value::Opaque { size, depth })
}

/// The size in bytes, and the nesting depth. `None` if the value is nested too deep or is not valid.
fn measure(cursor: &mut Cursor<'_>, level: usize) -> Option<(usize, usize)> {
    let scalar = match cursor.u8()? {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        b'S' | b'x' => return Some((cursor.long()?.len(), level)),
        // One level above the limit is still measured, so that the error can name the reason.
        b'F' | b'A' if level > MAX_TABLE_DEPTH => return None,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    /// A header with an integer in nested arrays of this depth.
    fn nested(depth: usize) -> Vec<u8> {
        let number = [&b"l"[..], &[0; 8]].concat();
        let value = (0..depth).fold(number, |inner, _| [&b"A"[..], &long(&inner)].concat());
        [&b"\x01n"[..], &value].concat()
    }

    #[test]
    fn nested_values_are_measured() {
        let expected: Table = smallvec![("n".into(), Value::Opaque { depth: 30, size: 38 })];
        assert_eq!(read(&nested(30)), expected);
    }

    #[test]
    fn a_table_too_deep_or_malformed_is_unreadable() {
        for depth in [40, 1_000, 20_000] {
            assert_eq!(read(&nested(depth)), unreadable());
        }
        for table in [&b"\x05ab"[..], b"\x01aZ", b"\x01aS\xff\xff\xff\xff", b"\x01a"] {
            assert_eq!(read(table), unreadable(), "{table:?}");
        }
    }

    /// `x-death` with one entry for each reason.
    fn deaths(reasons: &[&str]) -> Vec<u8> {
        let entry = |reason: &&str| {
            let table = [b"\x05countl\0\0\0\0\0\0\0\x01\x06reasonS", &long(reason.as_bytes())[..]];
            [&b"F"[..], &long(&table.concat())].concat()
        };
        let entries: Vec<u8> = reasons.iter().flat_map(entry).collect();
        [&b"\x07x-deathA"[..], &long(&entries)].concat()
    }

    #[test]
    fn expired_messages_are_recognised() {
        for (reasons, known) in [
            (&[][..], false),
            (&["rejected"], false),
            (&["expired"], true),
            (&["rejected", "maxlen", "expired"], true),
            (&["not-expired"], false),
        ] {
            let read = read(&deaths(reasons));
            let [(name, Value::Deaths { expired, .. })] = &read[..] else { panic!("{read:?}") };
            assert_eq!((name.as_str(), *expired), ("x-death", known), "{reasons:?}");
        }
        // A peer may write any value here.
        for table in
            [&b"\x07x-deathS\0\0\0\x07expired"[..], b"\x07x-deathV", b"\x07x-deathA\0\0\0\x01V"]
        {
            let read = read(table);
            assert!(matches!(&read[..], [(_, Value::Deaths { expired: false, .. })]), "{read:?}");
        }
        let deep = [&b"\x07x-death"[..], &nested(1_000)[2..]].concat();
        assert_eq!(read(&deep), unreadable());
    }

    #[test]
    fn large_tables_are_measured_and_not_built() {
        let flags = |count| b"\x01at\x01".repeat(count);
        let most = MAX_TABLE_BYTES / 2;
        assert_eq!(read(&flags(most)).len(), most);
        let expected: Table =
            smallvec![(SmolStr::default(), Value::Opaque { size: 2 * most + 2, depth: 0 })];
        assert_eq!(read(&flags(most + 1)), expected);
        let text = [&b"\x01aS"[..], &long(&vec![b'x'; MAX_TABLE_BYTES])].concat();
        assert_eq!(read(&text).len(), 1);
        assert_eq!(read(&text)[0].1.size(), MAX_TABLE_BYTES + 1);
    }

    /// Both sums have to agree. One decides whether a table is built, and users limit headers by the other.
    #[test]
    fn measured_and_counted_sizes_agree() {
        let long_text = [&b"\x01aS"[..], &long(&[b'x'; 2000])].concat();
        let odd_text = [&b"\x02abS"[..], &long(&[0xff; 9])].concat();
        let rest = b"\x01bt\x01\x00V\x01cb\x07\x01dl\0\0\0\0\0\0\0\x01\x01eD\0\0\0\0\0";
        let table = [&long_text[..], &odd_text, rest, &nested(3)].concat();
        let headers = read(&table);
        let counted = headers.iter().map(|(name, value)| name.len() + value.size()).sum();
        assert_eq!(measure_members(Cursor::new(&table)), Some((headers.len(), counted)));
    }

    #[test]
    fn invalid_names_are_repaired() {
        let read = read(b"\x02a\xffS\x00\x00\x00\x02\xff\xfe");
        let value = Value::Opaque { size: 2, depth: 0 };
        assert_eq!(read[..], [("a?".into(), value)]);
    }
}
