//! Limits the bytes that are published and not settled.
//!
//! If the broker is slow or the network is stuck, a connection accepts no more bytes. It then counts as blocked, as if
//! the broker had blocked it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::watch;

use crate::limits::SEND_WINDOW;

/// The size of a message without its body: frames, properties, and the sender's own data.
const OVERHEAD: usize = 1024;

/// Why a connection accepts no messages at the moment.
#[derive(Debug, Clone, Default)]
pub struct Blocked {
    /// The broker has a resource alarm (`connection.blocked`). The text is the broker's.
    pub alarm: Option<Arc<str>>,
    /// The [`SendWindow`] is full.
    pub full: bool,
}

impl Blocked {
    /// `None` if it accepts messages.
    pub fn reason(&self) -> Option<Arc<str>> {
        let full = || self.full.then(|| "it is slow to take what was sent already".into());
        self.alarm.clone().or_else(full)
    }
}

/// Counts the bytes that are published on a connection and not settled. From 64 MiB on, the connection counts as
/// [`Blocked`] until less than half of that is left. It does not delay anything: check
/// [`Connection::blocked`](crate::Connection::blocked) before you publish.
pub struct SendWindow {
    bytes: AtomicUsize,
    blocked: watch::Sender<Blocked>,
}

/// Part of a [`SendWindow`]. Dropping it frees that part.
pub struct Held {
    window: Arc<SendWindow>,
    bytes: usize,
}

impl SendWindow {
    /// An empty window, which announces here that it is full. A [`Connection`](crate::Connection) has one of its own.
    pub fn new(blocked: watch::Sender<Blocked>) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), blocked })
    }

    /// Reserves the size of a message with a body of this size. Keep the result until the message is settled.
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

    /// Reads the count under the lock of the state, so that threads that arrive late change nothing.
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
    fn full_window_blocks_until_half_is_free() {
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
