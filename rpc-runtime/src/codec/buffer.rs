//! What a body is written into: on the stack while it is small. So it is allocated once, without room to spare, as it is
//! kept for as long as its call is in flight.

use std::{io, mem};

use bincode::{enc::write::Writer, error::EncodeError};
use bytes::Bytes;

/// More than most arguments and results take.
const SMALL: usize = 128;

#[derive(Debug)]
pub(super) struct Buffer {
    small: [u8; SMALL],
    /// The bytes in `small`.
    len: usize,
    /// Everything, once `small` has no room for it.
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

    /// By reference, so that the stack's part is not moved.
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
