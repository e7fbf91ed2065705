//! Reads the encoding of a message from its `content_type`.

use crate::codec::Encoding;

/// The `content_type` for arbitrary bytes. Several clients send it by default, so it is treated as missing.
const ANY_BYTES: &str = "application/octet-stream";

/// A parsed `content_type`.
pub(super) enum ContentType<'a> {
    Known(Encoding),
    /// It is absent, or it does not name an encoding.
    Missing,
    Unknown(&'a str),
}

impl<'a> ContentType<'a> {
    pub(super) fn of(written: Option<&'a str>) -> Self {
        let Some(written) = written else { return Self::Missing };
        if let Some(encoding) = Encoding::from_content_type(written) {
            return Self::Known(encoding);
        }
        let essence = written.split(';').next().unwrap_or_default().trim();
        if essence.is_empty() || essence.eq_ignore_ascii_case(ANY_BYTES) {
            return Self::Missing;
        }
        Self::Unknown(written)
    }
}

/// The encoding of a request without `content_type`: that of the service, unless the service uses bincode. Almost any
/// bytes decode as bincode, so bincode is never assumed.
pub(super) fn encoding_if_missing(service: Encoding) -> Option<Encoding> {
    (service != Encoding::Bincode).then_some(service)
}
