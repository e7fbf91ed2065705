//! The output buffer of a body. It is on the stack while the body is small. So the body is allocated once and with its
//! exact size, because it is kept as long as its call is in flight.

use std::{io, mem};

use bincode::{enc::write::Writer, error::EncodeError};
use bytes::Bytes;

/// Enough for most arguments and results.
const SMALL: usize = 128;

#[derive(Debug)]
pub(super) struct Buffer {
    small: [u8; SMALL],
    /// How many bytes of `small` are used.
    len: usize,
    /// The whole body, if it does not fit into `small`.
    large: Vec<u8>,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { small: [0; SMALL], len: 0, large: Vec::new() }
    }
}

impl Buffer {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if self.large.is_empty() {
            if let Some(room) = self.small[self.len..].get_mut(..bytes.len()) {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                return;
            }
            self.large.extend_from_slice(&self.small[..self.len]);
        }
        self.large.extend_from_slice(bytes);
    }

    /// Takes a reference, so that the stack buffer is not moved.
    pub(super) fn take_body(&mut self) -> Bytes {
        if self.large.is_empty() {
            Bytes::copy_from_slice(&self.small[..self.len])
        } else {
            mem::take(&mut self.large).into_boxed_slice().into()
        }
    }
}

impl Writer for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.put(bytes);
        Ok(())
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn bodies_of_any_size_are_kept_whole() {
        for size in [0, 1, SMALL, SMALL + 1, 100 * SMALL] {
            let body: Vec<u8> = (0..size).map(|n| n.to_le_bytes()[0]).collect();
            let mut buffer = Buffer::default();
            body.chunks(7).for_each(|part| buffer.write_all(part).unwrap());
            assert_eq!(buffer.take_body(), body);
        }
    }
}
