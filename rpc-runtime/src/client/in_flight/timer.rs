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
    /// A timer of the runtime that polls it. It moves along where another runtime goes on with the call: the one before may
    /// stand still, or it has ended, and tokio's timers panic then.
    #[derive(Debug, Default)]
    pub(super) struct Timer {
        runtime: Option<runtime::Id>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Timer {
    /// Waits until the deadline, which is the same each time.
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
