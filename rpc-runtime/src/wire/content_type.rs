//! The encoding of a message, as its `content_type` says it.

use crate::codec::Encoding;

/// The `content_type` of any bytes. Several clients send it by default, so it counts as none.
const ANY_BYTES: &str = "application/octet-stream";

/// A `content_type`, as far as it is known here.
pub(super) enum ContentType<'a> {
    Known(Encoding),
    /// There is none, or one that does not name an encoding.
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

/// The encoding of a request without `content_type`, at a service of this encoding. Almost any bytes can be read as
/// bincode, so bincode is never assumed.
pub(super) fn unsaid(own: Encoding) -> Option<Encoding> {
    (own != Encoding::Bincode).then_some(own)
}
