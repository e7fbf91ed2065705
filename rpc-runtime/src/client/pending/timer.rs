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
    #[derive(Debug)]
    pub(super) struct Timer {
        deadline: Instant,
        runtime: Option<runtime::Id>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Timer {
    pub(super) fn new(deadline: Instant) -> Self {
        Self { deadline, runtime: None, sleep: None }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let current = Handle::current().id();
        if this.runtime.replace(current) != Some(current) {
            this.sleep.set(Some(sleep_until(*this.deadline)));
        }
        this.sleep.as_pin_mut().map_or(Poll::Pending, |sleep| sleep.poll(cx))
    }
}
