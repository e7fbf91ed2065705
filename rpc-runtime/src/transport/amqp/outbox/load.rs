//! The number of replies that wait in an outbox, which is bounded, and whether its connection is in trouble.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{limits, throttle::Throttle};

/// Shared by the workers that add replies and the task that sends them.
pub(super) struct Load {
    replies: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    /// The connection for direct reply-to was lost or could not be made, and has not carried a reply since.
    troubled: AtomicBool,
    pub(super) warned: Throttle,
}

/// A place among the replies that wait, free again when this is dropped.
pub(super) struct Room {
    _reply: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            replies: Arc::new(Semaphore::new(limits::DIRECT_REPLIES)),
            bytes: Arc::new(Semaphore::new(limits::MAX_BACKLOG)),
            troubled: AtomicBool::new(false),
            warned: Throttle::default(),
        }
    }
}

impl Load {
    pub(super) fn room(&self, bytes: usize) -> Option<Room> {
        Some(Room {
            _reply: self.replies.clone().try_acquire_owned().ok()?,
            _bytes: self.bytes.clone().try_acquire_many_owned(bytes.try_into().ok()?).ok()?,
        })
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
    }

    pub(super) fn set_troubled(&self, troubled: bool) {
        self.troubled.store(troubled, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_replies_are_bounded() {
        let load = Load::default();
        let first = load.room(limits::MAX_BACKLOG).unwrap();
        assert!(load.room(1).is_none());
        drop(first);
        assert_eq!(load.bytes.available_permits(), limits::MAX_BACKLOG);
        let most: Vec<_> =
            std::iter::from_fn(|| load.room(0)).take(2 * limits::DIRECT_REPLIES).collect();
        assert_eq!(most.len(), limits::DIRECT_REPLIES);
    }
}
