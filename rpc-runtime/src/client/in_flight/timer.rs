//! The deadline of a call.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::{
    runtime::{self, Handle},
    time::{Instant, Sleep, sleep_until},
};

pin_project! {
    /// A timer on the runtime that polls it. If another runtime continues the call, the timer moves to it. The
    /// earlier runtime may be idle or may have ended, and tokio's timers panic without their runtime.
    #[derive(Debug, Default)]
    pub(super) struct Timer {
        runtime: Option<runtime::Id>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Timer {
    /// Waits until the deadline, which must be the same each time.
    pub(super) fn poll_until(
        self: Pin<&mut Self>,
        deadline: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.project();
        let current = Handle::current().id();
        if this.runtime.replace(current) != Some(current) {
            this.sleep.set(Some(sleep_until(deadline)));
        }
        this.sleep.as_pin_mut().map_or(Poll::Pending, |sleep| sleep.poll(cx))
    }
}
