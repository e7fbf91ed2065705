//! The unread rest of a bincode body.

use std::cell::Cell;

use bincode::{
    config::{self, Configuration},
    de::read::Reader,
    error::DecodeError as BincodeError,
};

use super::DecodeError;

/// The bincode configuration.
pub(super) const FORMAT: Configuration = config::standard();

/// A body and a read position. It is read through a shared reference, so that `Bounded` can see the next bytes.
pub(super) struct Unread<'a> {
    body: &'a [u8],
    read: Cell<usize>,
}

impl<'a> Unread<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, read: Cell::new(0) }
    }

    pub(super) fn left(&self) -> &'a [u8] {
        self.body.get(self.read.get()..).unwrap_or_default()
    }

    /// The next length prefix. `None` if there is none, which is an error in bincode.
    pub(super) fn next_length(&self) -> Option<(u64, usize)> {
        let (promised, prefix) = bincode::decode_from_slice::<u64, _>(self.left(), FORMAT).ok()?;
        Some((promised, self.left().len() - prefix))
    }

    /// Whether the whole body was read.
    pub(super) fn end(&self) -> Result<(), DecodeError> {
        match self.left().len() {
            0 => Ok(()),
            left => Err(DecodeError::because(format!(
                "{left} of {} bytes are left over",
                self.body.len()
            ))),
        }
    }

    fn skip(&self, bytes: usize) {
        self.read.set(self.read.get().saturating_add(bytes));
    }
}

impl Reader for &Unread<'_> {
    fn read(&mut self, to: &mut [u8]) -> Result<(), BincodeError> {
        let left = self.left();
        let Some(read) = left.get(..to.len()) else {
            return Err(BincodeError::UnexpectedEnd { additional: to.len() - left.len() });
        };
        to.copy_from_slice(read);
        self.skip(to.len());
        Ok(())
    }

    fn peek_read(&mut self, bytes: usize) -> Option<&[u8]> {
        self.left().get(..bytes)
    }

    fn consume(&mut self, bytes: usize) {
        self.skip(bytes);
    }
}
