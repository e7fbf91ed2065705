//! Converts tables from lapin's types, and back. As in rpc-amqp, scalars are kept, and other values are only measured.

use lapin::types::{AMQPValue, FieldArray, FieldTable, ShortString};
use rpc_amqp::{MAX_SHORT_STRING, MAX_TABLE_BYTES, MAX_TABLE_DEPTH};
use smallvec::smallvec;
use smol_str::SmolStr;

use crate::{
    cut::cut,
    message::{DEATHS, HeaderValue, Headers},
};

/// Makes a short string without panicking, which lapin's own conversion does. Names are validated elsewhere.
pub(super) fn short(text: impl Into<String>) -> ShortString {
    let mut text = text.into();
    cut(&mut text, MAX_SHORT_STRING);
    ShortString::try_new(text).unwrap_or_default()
}

pub(super) fn to_lapin<'a>(
    values: impl IntoIterator<Item = &'a (SmolStr, HeaderValue)>,
) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in values {
        table.insert(short(name.as_str()), value_to_lapin(value));
    }
    table
}

fn value_to_lapin(value: &HeaderValue) -> AMQPValue {
    match value {
        HeaderValue::Text(text) => AMQPValue::LongString(text.as_bytes().into()),
        HeaderValue::Integer(number) => AMQPValue::LongLongInt(*number),
        HeaderValue::Small(number) => AMQPValue::LongInt(*number),
        HeaderValue::Boolean(flag) => AMQPValue::Boolean(*flag),
        HeaderValue::Opaque { .. } | HeaderValue::Deaths { .. } => AMQPValue::Void,
    }
}

/// The headers of a message, and their size. Headers that are too large or nested too deep are dropped.
pub(super) fn from_lapin(table: &FieldTable) -> (Headers, usize) {
    let (mut size, mut depth) = (0, 0);
    for (name, value) in table {
        let (inner, deep) = measure(value, 0);
        size += name.as_str().len() + inner;
        depth = depth.max(deep);
    }
    let headers = if depth > MAX_TABLE_DEPTH + 1 {
        stand_in(0, usize::MAX)
    } else if size > MAX_TABLE_BYTES {
        stand_in(size, 0)
    } else {
        table.into_iter().map(|(name, value)| (name.as_str().into(), header(name, value))).collect()
    };
    (headers, size)
}

/// Replaces headers that cannot be read.
fn stand_in(size: usize, depth: usize) -> Headers {
    smallvec![(SmolStr::default(), HeaderValue::Opaque { size, depth })]
}

fn header(name: &ShortString, value: &AMQPValue) -> HeaderValue {
    if name.as_str() == DEATHS { deaths(value) } else { value_from_lapin(value) }
}

fn value_from_lapin(value: &AMQPValue) -> HeaderValue {
    match value {
        AMQPValue::LongString(bytes) => match str::from_utf8(bytes.as_bytes()) {
            Ok(text) => HeaderValue::Text(text.into()),
            Err(_) => HeaderValue::Opaque { size: bytes.len(), depth: 0 },
        },
        AMQPValue::Boolean(flag) => HeaderValue::Boolean(*flag),
        AMQPValue::ShortShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongLongInt(number) => HeaderValue::Integer(*number),
        other => {
            let (size, depth) = measure(other, 0);
            HeaderValue::Opaque { size, depth }
        }
    }
}

/// The `x-death` header of a dead-lettered message: an array of tables, each with a reason.
fn deaths(value: &AMQPValue) -> HeaderValue {
    let (size, depth) = measure(value, 0);
    let entries = match value {
        AMQPValue::FieldArray(entries) => entries.as_slice(),
        _ => &[],
    };
    let expired = entries.iter().any(|entry| match entry {
        AMQPValue::FieldTable(entry) => matches!(
            entry.inner().get("reason"),
            Some(AMQPValue::LongString(reason)) if reason.as_bytes() == b"expired"
        ),
        _ => false,
    });
    HeaderValue::Deaths {
        size: u32::try_from(size).unwrap_or(u32::MAX),
        depth: u8::try_from(depth).unwrap_or(u8::MAX),
        expired,
    }
}

/// The size in bytes, and the depth in tables and arrays. Nesting is measured to one level beyond the limit.
fn measure(value: &AMQPValue, level: usize) -> (usize, usize) {
    match value {
        AMQPValue::FieldTable(_) | AMQPValue::FieldArray(_) if level > MAX_TABLE_DEPTH => {
            (0, level + 1)
        }
        AMQPValue::FieldTable(table) => {
            inside(table.into_iter().map(|(name, value)| (name.as_str().len(), value)), level)
        }
        AMQPValue::FieldArray(array) => {
            inside(FieldArray::as_slice(array).iter().map(|value| (0, value)), level)
        }
        AMQPValue::LongString(bytes) => (bytes.len(), level),
        AMQPValue::ByteArray(bytes) => (bytes.as_slice().len(), level),
        AMQPValue::ShortString(text) => (text.as_str().len(), level),
        AMQPValue::Boolean(_) if level == 0 => (1, level),
        _ => (8, level),
    }
}

fn inside<'a>(
    members: impl Iterator<Item = (usize, &'a AMQPValue)>,
    level: usize,
) -> (usize, usize) {
    members.fold((0, level + 1), |(size, deepest), (name, value)| {
        let (inner, depth) = measure(value, level + 1);
        (size + name + inner + 1, deepest.max(depth))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An integer in this many nested arrays.
    fn nested(depth: usize) -> AMQPValue {
        (0..depth)
            .fold(AMQPValue::LongLongInt(1), |inner, _| AMQPValue::FieldArray(vec![inner].into()))
    }

    fn table(name: &str, value: AMQPValue) -> FieldTable {
        let mut table = FieldTable::default();
        table.insert(name.into(), value);
        table
    }

    #[test]
    fn nested_values_are_measured() {
        let (headers, _) = from_lapin(&table("n", nested(30)));
        assert_eq!(headers[0], ("n".into(), HeaderValue::Opaque { depth: 30, size: 38 }));
    }

    #[test]
    fn too_deep_or_large_tables_are_dropped() {
        for depth in [40, 200] {
            assert_eq!(from_lapin(&table("n", nested(depth))).0, stand_in(0, usize::MAX));
        }
        let large = AMQPValue::LongString(vec![b'a'; MAX_TABLE_BYTES].into());
        assert_eq!(from_lapin(&table("n", large)).0, stand_in(MAX_TABLE_BYTES + 1, 0));
    }

    #[test]
    fn deaths_say_whether_one_was_an_expiry() {
        for (reason, expired) in [("rejected", false), ("expired", true)] {
            let entry = table("reason", AMQPValue::LongString(reason.into()));
            let deaths = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(entry)].into());
            let (headers, _) = from_lapin(&table(DEATHS, deaths));
            assert!(
                matches!(headers[0].1, HeaderValue::Deaths { expired: seen, depth: 2, .. } if seen == expired)
            );
        }
    }

    #[test]
    fn a_name_too_long_is_cut() {
        assert_eq!(short("é".repeat(200)).as_str().len(), 254);
    }
}
