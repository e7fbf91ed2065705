//! What a body is written into: on the stack while it is small. So it is allocated once, without room to spare, as it is
//! kept for as long as its call is in flight.

use std::{io, mem};

use bincode::{enc::write::Writer, error::EncodeError};
use bytes::Bytes;
use smallvec::SmallVec;

/// More than most arguments and results take.
const SMALL: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Buffer(SmallVec<[u8; SMALL]>);

impl Buffer {
    /// By reference, so that the stack's part is not moved.
    pub(super) fn take_body(&mut self) -> Bytes {
        if self.0.spilled() {
            mem::take(&mut self.0).into_vec().into_boxed_slice().into()
        } else {
            Bytes::copy_from_slice(&self.0)
        }
    }
}

impl Writer for Buffer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
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
