//! The properties of a message, in the order of their flags.

use bytes::{BufMut, BytesMut};
use smol_str::{SmolStr, ToSmolStr};
use uuid::Uuid;

use super::{
    BASIC,
    cursor::Cursor,
    frames::{put_short, put_short_bytes},
    read_table::{self, unreadable},
    table::put_values,
};
use crate::message::{Expiration, Id, Properties};

/// Delivery mode 2.
const PERSISTENT: u8 = 2;

/// The size of the body that a content header announces, from the beginning of its payload.
pub(crate) fn read_body_size(payload: &[u8]) -> Option<u64> {
    let mut cursor = Cursor::new(payload);
    let (_class, _weight) = (cursor.u16()?, cursor.u16()?);
    cursor.u64()
}

/// Reads the payload of a content header to where the properties are to stand, and returns the size of the body that follows.
/// Properties that cannot be read become none, with unreadable headers.
pub(crate) fn read_content(payload: &[u8], to: &mut Properties) -> Option<u64> {
    let mut cursor = Cursor::new(payload);
    let (_class, _weight, size) = (cursor.u16()?, cursor.u16()?, cursor.u64()?);
    if read(&mut cursor, to).is_none() {
        *to = Properties { headers: unreadable(), ..Properties::default() };
    }
    Some(size)
}

fn read(cursor: &mut Cursor<'_>, properties: &mut Properties) -> Option<()> {
    let flags = cursor.u16()?;
    for bit in (2..16u16).rev().filter(|bit| flags & (1 << bit) != 0) {
        match bit {
            15 => properties.content_type = Some(cursor.text()?),
            14 => properties.content_encoding = Some(cursor.text()?),
            13 => properties.headers = read_table::read(cursor.long()?),
            12 => properties.persistent = cursor.u8()? == PERSISTENT,
            11 => properties.priority = Some(cursor.u8()?),
            10 => properties.correlation_id = Some(Id::from(cursor.short()?)),
            9 => properties.reply_to = Some(cursor.text()?),
            8 => properties.expiration = Some(Expiration::from(&*cursor.text()?)),
            7 => properties.message_id = Some(Id::from(cursor.short()?)),
            // The timestamp.
            6 => drop(cursor.u64()?),
            5 => properties.kind = Some(cursor.text()?),
            4 => properties.user_id = Some(cursor.text()?),
            // The application and, long ago, the cluster.
            _ => drop(cursor.short()?),
        }
    }
    Some(())
}

pub(super) fn write_content(to: &mut BytesMut, properties: &Properties, size: usize) {
    to.put_u16(BASIC);
    to.put_u16(0);
    to.put_u64(u64::try_from(size).unwrap_or(u64::MAX));
    let start = to.len();
    to.put_u16(0);
    let mut flags = 1 << 12;
    let text = |to: &mut BytesMut, flags: &mut u16, bit: u16, value: &Option<SmolStr>| {
        if let Some(value) = value {
            *flags |= 1 << bit;
            put_short(to, value);
        }
    };
    let id = |to: &mut BytesMut, flags: &mut u16, bit: u16, value: &Option<Id>| match value {
        Some(Id::Uuid(value)) => {
            *flags |= 1 << bit;
            put_short(to, value.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        Some(Id::Text(value)) => {
            *flags |= 1 << bit;
            put_short(to, value);
        }
        Some(Id::Bytes(value)) => {
            *flags |= 1 << bit;
            put_short_bytes(to, value);
        }
        None => {}
    };
    text(to, &mut flags, 15, &properties.content_type);
    text(to, &mut flags, 14, &properties.content_encoding);
    if !properties.headers.is_empty() {
        flags |= 1 << 13;
        put_values(to, &properties.headers);
    }
    to.put_u8(if properties.persistent { PERSISTENT } else { 1 });
    if let Some(priority) = properties.priority {
        flags |= 1 << 11;
        to.put_u8(priority);
    }
    id(to, &mut flags, 10, &properties.correlation_id);
    text(to, &mut flags, 9, &properties.reply_to);
    text(to, &mut flags, 8, &properties.expiration.as_ref().map(ToSmolStr::to_smolstr));
    id(to, &mut flags, 7, &properties.message_id);
    text(to, &mut flags, 5, &properties.kind);
    text(to, &mut flags, 4, &properties.user_id);
    if let Some(place) = to.get_mut(start..start + 2) {
        place.copy_from_slice(&flags.to_be_bytes());
    }
}
