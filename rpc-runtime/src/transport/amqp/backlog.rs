//! Requests that are to be written, or were and are not settled: what waits to be written has its bound here.
//!
//! A connection that takes nothing more, because the broker is slow or the network is stuck, is then as blocked as one
//! that the broker says it has blocked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

use crate::{limits, transport::Blocked};

/// What a message takes beside its body: frames, properties, and the report that is waited for.
const OVERHEAD: usize = 1024;

pub(super) struct Backlog {
    bytes: AtomicUsize,
    blocked: watch::Sender<Blocked>,
}

/// A place in the backlog, free again when this is dropped.
pub(super) struct Held {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Backlog {
    pub(super) fn new(blocked: watch::Sender<Blocked>) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), blocked })
    }

    pub(super) fn hold(self: &Arc<Self>, body: usize) -> Held {
        let bytes = body + OVERHEAD;
        let before = self.bytes.fetch_add(bytes, Ordering::SeqCst);
        if before < limits::MAX_BACKLOG && before + bytes >= limits::MAX_BACKLOG {
            self.announce();
        }
        Held { backlog: self.clone(), bytes }
    }

    fn free(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before >= limits::MAX_BACKLOG / 2 && before - bytes < limits::MAX_BACKLOG / 2 {
            self.announce();
        }
    }

    /// Decided where the state is locked, by what is so then: whoever comes late changes nothing.
    fn announce(&self) {
        self.blocked.send_if_modified(|blocked| {
            let bytes = self.bytes.load(Ordering::SeqCst);
            let full =
                bytes >= limits::MAX_BACKLOG || (blocked.full && bytes >= limits::MAX_BACKLOG / 2);
            std::mem::replace(&mut blocked.full, full) != full
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.backlog.free(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_backlog_blocks_until_half_of_it_is_gone() {
        let (sender, blocked) = watch::channel(Blocked::default());
        let backlog = Backlog::new(sender);
        let is_full = || blocked.borrow().reason().is_some();
        let half = backlog.hold(limits::MAX_BACKLOG / 2);
        let tenth = backlog.hold(limits::MAX_BACKLOG / 10);
        assert!(!is_full());
        let rest = backlog.hold(limits::MAX_BACKLOG / 2);
        assert!(is_full());
        drop(tenth);
        assert!(is_full(), "there is more than half of it");
        drop((half, rest));
        assert!(!is_full());
    }
}
