//! The bound on what is published and not settled.
//!
//! A connection that takes nothing more, because the broker is slow or the network is stuck, counts as blocked, just as one that
//! the broker has blocked.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::watch;

use crate::limits::SEND_WINDOW;

/// What a message takes beside its body: frames, properties, and what its sender keeps of it.
const OVERHEAD: usize = 1024;

/// Why a connection takes no messages for now.
#[derive(Debug, Clone, Default)]
pub struct Blocked {
    /// The broker is short of something (`connection.blocked`), in its own words.
    pub alarm: Option<Arc<str>>,
    /// The [`SendWindow`] is full.
    pub full: bool,
}

impl Blocked {
    /// `None` while it does take messages.
    pub fn reason(&self) -> Option<Arc<str>> {
        let full = || self.full.then(|| "it is slow to take what was sent already".into());
        self.alarm.clone().or_else(full)
    }
}

/// Counts the bytes that were published on a connection and are not settled. From 64 MiB on the connection counts as
/// [`Blocked`], until half of it is free. It delays nobody: look at [`Connection::blocked`](crate::Connection::blocked) before
/// you publish.
pub struct SendWindow {
    bytes: AtomicUsize,
    blocked: watch::Sender<Blocked>,
}

/// A place in a [`SendWindow`], free again when this is dropped.
pub struct Held {
    window: Arc<SendWindow>,
    bytes: usize,
}

impl SendWindow {
    /// An empty window, which announces here that it is full. A [`Connection`](crate::Connection) has one of its own.
    pub fn new(blocked: watch::Sender<Blocked>) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), blocked })
    }

    /// Takes a place for a message with a body of this size. Keep it until the message is settled.
    #[inline]
    pub fn hold(self: &Arc<Self>, body: usize) -> Held {
        let bytes = body + OVERHEAD;
        let before = self.bytes.fetch_add(bytes, Ordering::SeqCst);
        if before < SEND_WINDOW && before + bytes >= SEND_WINDOW {
            self.announce();
        }
        Held { window: self.clone(), bytes }
    }

    #[inline]
    fn free(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before >= SEND_WINDOW / 2 && before - bytes < SEND_WINDOW / 2 {
            self.announce();
        }
    }

    /// Reads the count where the state is locked: a late caller changes nothing.
    fn announce(&self) {
        self.blocked.send_if_modified(|blocked| {
            let bytes = self.bytes.load(Ordering::SeqCst);
            let full = bytes >= SEND_WINDOW || (blocked.full && bytes >= SEND_WINDOW / 2);
            std::mem::replace(&mut blocked.full, full) != full
        });
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        self.window.free(self.bytes);
    }
}

impl fmt::Debug for SendWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendWindow").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_blocks_until_half_of_it_is_free() {
        let (sender, blocked) = watch::channel(Blocked::default());
        let window = SendWindow::new(sender);
        let is_full = || blocked.borrow().reason().is_some();
        let half = window.hold(SEND_WINDOW / 2);
        let tenth = window.hold(SEND_WINDOW / 10);
        assert!(!is_full());
        let rest = window.hold(SEND_WINDOW / 2);
        assert!(is_full());
        drop(tenth);
        assert!(is_full(), "there is more than half of it");
        drop((half, rest));
        assert!(!is_full());
    }
}
