//! Where bodies are written before their size is known.

use std::cell::Cell;

use bytes::Bytes;
use smallvec::SmallVec;

/// A larger body takes the buffer along.
const KEPT: usize = 16 * 1024;

/// Up to here a body stands beside what counts its copies, in one allocation.
const SMALL: usize = 16;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A body of just the size of what is written: it may be kept for as long as a call is in flight.
pub(super) fn write<T, E>(write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<Bytes, E> {
    // Whoever writes may write another body meanwhile, with another buffer.
    let mut buffer = empty();
    match write(&mut buffer) {
        Ok(_) => Ok(body_of(buffer)),
        Err(error) => {
            keep(buffer);
            Err(error)
        }
    }
}

fn empty() -> Vec<u8> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    buffer
}

fn body_of(mut buffer: Vec<u8>) -> Bytes {
    if buffer.len() > KEPT {
        buffer.shrink_to_fit();
        return buffer.into();
    }
    let body = exact(&buffer);
    keep(buffer);
    body
}

fn keep(buffer: Vec<u8>) {
    if buffer.capacity() <= 2 * KEPT {
        BUFFER.set(buffer);
    }
}

/// A call keeps a copy of its body, to send it again: of bytes that have an owner already, that is but a count.
fn exact(body: &[u8]) -> Bytes {
    if body.is_empty() || body.len() > SMALL {
        return Bytes::copy_from_slice(body);
    }
    Bytes::from_owner(SmallVec::<[u8; SMALL]>::from_slice(body))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn body(size: usize) -> Bytes {
        let fill = |buffer: &mut Vec<u8>| {
            buffer.resize(size, 7);
            Ok::<_, Infallible>(())
        };
        write(fill).unwrap()
    }

    #[test]
    fn a_body_holds_what_was_written_and_nothing_of_another() {
        for size in [0, 3, KEPT, KEPT + 1, 10 * KEPT, 1] {
            assert!(body(size) == vec![7; size], "{size}");
        }
    }

    #[test]
    fn a_body_can_be_written_while_another_is() {
        let outer = write(|outer| {
            outer.push(1);
            let inner = body(2);
            outer.extend(inner);
            Ok::<_, Infallible>(())
        });
        assert_eq!(outer.unwrap(), [1, 7, 7][..]);
    }

    #[test]
    fn what_fails_leaves_a_buffer_that_can_be_used() {
        assert_eq!(
            write(|buffer| {
                buffer.push(1);
                Err::<(), _>("no")
            }),
            Err("no")
        );
        assert_eq!(body(1), [7][..]);
    }
}
