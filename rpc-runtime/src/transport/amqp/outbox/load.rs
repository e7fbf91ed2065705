//! The number of replies that wait in an outbox, which is bounded, and whether its connection is in trouble.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::{limits, throttle::Throttle};

/// Shared by the workers that add replies and the task that sends them.
#[derive(Default)]
pub(super) struct Load {
    replies: AtomicUsize,
    bytes: AtomicUsize,
    /// The connection for direct reply-to was lost or could not be made, and has not carried a reply since.
    troubled: AtomicBool,
    pub(super) warned: Throttle,
}

impl Load {
    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
    }

    pub(super) fn set_troubled(&self, troubled: bool) {
        self.troubled.store(troubled, Ordering::Relaxed);
    }
}

/// A place among the waiting replies, which is freed on drop.
pub(super) struct Room {
    load: Arc<Load>,
    bytes: usize,
}

impl Room {
    pub(super) fn take(load: &Arc<Load>, bytes: usize) -> Option<Self> {
        let room = Self { load: load.clone(), bytes };
        let replies = load.replies.fetch_add(1, Ordering::Relaxed);
        let before = load.bytes.fetch_add(bytes, Ordering::Relaxed);
        // If there is no room, dropping `room` subtracts what was added.
        (replies < limits::DIRECT_REPLIES && before + bytes <= limits::MAX_BACKLOG).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.load.replies.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_replies_are_bounded() {
        let load = Arc::<Load>::default();
        let first = Room::take(&load, limits::MAX_BACKLOG).unwrap();
        assert!(Room::take(&load, 1).is_none());
        drop(first);
        assert_eq!(load.bytes.load(Ordering::Relaxed), 0);
        let places: Vec<_> =
            std::iter::from_fn(|| Room::take(&load, 0)).take(2 * limits::DIRECT_REPLIES).collect();
        assert_eq!(places.len(), limits::DIRECT_REPLIES);
    }
}
