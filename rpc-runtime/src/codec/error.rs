//! What is wrong with a value or with the bytes of one.

use std::{error::Error, fmt};

use super::Encoding;

type Source = Box<dyn Error + Send + Sync>;

/// A value that its encoding cannot express.
#[derive(Debug)]
pub struct EncodeError {
    encoding: Encoding,
    source: Source,
}

/// Bytes that are not those of the type expected.
#[derive(Debug)]
pub struct DecodeError {
    message: String,
    source: Option<Source>,
}

impl EncodeError {
    pub(crate) fn new(encoding: Encoding, source: impl Into<Source>) -> Self {
        Self { encoding, source: source.into() }
    }
}

impl DecodeError {
    pub(crate) fn new(encoding: Encoding, source: impl Into<Source>) -> Self {
        Self { message: format!("not the {encoding} expected here"), source: Some(source.into()) }
    }

    /// A fault of form that no decoder complained of.
    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The whole of it in one line, for a peer that sees no `source()`.
    pub(crate) fn in_full(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.message),
            None => self.message.clone(),
        }
    }
}

impl EncodeError {
    /// The whole of it in one line, for a peer that sees no `source()`.
    pub(crate) fn in_full(&self) -> String {
        format!("{self}: {}", self.source)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value cannot be written as {}", self.encoding)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
