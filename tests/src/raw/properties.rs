use std::collections::BTreeMap;

use super::frames::{Reader, long, short};

/// A property of a message, with its flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs, reason = "they have the names of AMQP")]
pub enum Property {
    ClusterId = 2,
    AppId = 3,
    UserId = 4,
    Type = 5,
    Timestamp = 6,
    MessageId = 7,
    Expiration = 8,
    ReplyTo = 9,
    CorrelationId = 10,
    Priority = 11,
    DeliveryMode = 12,
    Headers = 13,
    ContentEncoding = 14,
    ContentType = 15,
}

impl Property {
    const ALL: [Self; 14] = [
        Self::ContentType,
        Self::ContentEncoding,
        Self::Headers,
        Self::DeliveryMode,
        Self::Priority,
        Self::CorrelationId,
        Self::ReplyTo,
        Self::Expiration,
        Self::MessageId,
        Self::Timestamp,
        Self::Type,
        Self::UserId,
        Self::AppId,
        Self::ClusterId,
    ];
}

/// The properties of a message as raw bytes, which may be invalid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawProperties(BTreeMap<Property, Vec<u8>>);

impl RawProperties {
    /// Sets a text, cut to 255 bytes.
    pub fn text(&mut self, property: Property, text: impl AsRef<[u8]>) -> &mut Self {
        self.raw(property, short(text.as_ref()))
    }

    /// Sets the headers: a table without its length field.
    pub fn headers(&mut self, table: &[u8]) -> &mut Self {
        self.raw(Property::Headers, long(table))
    }

    /// Sets a property to these bytes.
    pub fn raw(&mut self, property: Property, bytes: Vec<u8>) -> &mut Self {
        self.0.insert(property, bytes);
        self
    }

    /// The text of a property of a received message.
    pub fn get(&self, property: Property) -> Option<&[u8]> {
        self.0.get(&property).map(|bytes| Reader(bytes).short())
    }

    /// The number of bytes of a property; 0 if it is missing.
    pub fn size(&self, property: Property) -> usize {
        self.0.get(&property).map_or(0, Vec::len)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let flags = self.0.keys().fold(0u16, |flags, property| flags | 1 << (*property as u8));
        // The highest bit comes first.
        let values = self.0.values().rev().flatten().copied();
        flags.to_be_bytes().into_iter().chain(values).collect()
    }

    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut reader = Reader(bytes);
        let flags = reader.number(2);
        let mut properties = Self::default();
        for property in Property::ALL {
            if flags & (1 << (property as u8)) == 0 {
                continue;
            }
            let value = match property {
                Property::Headers => long(reader.long()),
                Property::DeliveryMode | Property::Priority => reader.bytes(1).to_vec(),
                Property::Timestamp => reader.bytes(8).to_vec(),
                _ => short(reader.short()),
            };
            properties.raw(property, value);
        }
        properties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_as_written() {
        let mut properties = RawProperties::default();
        properties
            .text(Property::Type, "method")
            .text(Property::CorrelationId, [0, 255, 10])
            .headers(b"\x01aV")
            .raw(Property::Timestamp, vec![0; 8]);
        let written = properties.write();
        assert_eq!(written[..2], 0b0010_0100_0110_0000u16.to_be_bytes());
        assert_eq!(RawProperties::read(&written), properties);
        assert_eq!(properties.get(Property::CorrelationId), Some(&[0, 255, 10][..]));
    }
}
