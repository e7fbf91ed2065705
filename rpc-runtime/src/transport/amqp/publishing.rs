//! Publishing without waiting.
//!
//! lapin queues a message's frames when the future of `basic_publish` is first polled; polled on, that future only
//! reports. So a message is published by polling once, in order and under one lock, and the reports are collected later,
//! many at a time.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use lapin::{Channel, PublisherConfirm, options::BasicPublishOptions};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::properties::{short, to_lapin};
use crate::transport::Outbound;

/// Without confirms, messages that came back lie in a list that nobody announces: they are looked for so often, for so
/// long after the last message.
const LOOK_FOR_RETURNS_EVERY: Duration = Duration::from_millis(20);
pub(super) const LOOK_FOR_RETURNS_FOR: Duration = Duration::from_secs(1);

pub(super) type Published = Pin<Box<dyn Future<Output = lapin::Result<PublisherConfirm>> + Send>>;

/// A future that publishes a message when it is first polled.
fn publishing(channel: Arc<Channel>, message: Outbound) -> Published {
    let Outbound { exchange, routing_key, mandatory, properties, body } = message;
    Box::pin(async move {
        let options = BasicPublishOptions { mandatory, ..Default::default() };
        channel
            .basic_publish(
                short(exchange),
                short(routing_key),
                options,
                &body,
                to_lapin(properties),
            )
            .await
    })
}

/// Runs what a future does up to its first wait.
pub(super) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What was published, in order, until its report is collected.
pub(super) struct Outbox<T> {
    queued: Mutex<Queued<T>>,
    filled: Notify,
}

struct Queued<T> {
    entries: Vec<T>,
    closed: bool,
}

/// Nothing is published through this outbox any more.
#[derive(Debug)]
pub(super) struct OutboxClosed;

impl<T> Outbox<T> {
    pub(super) fn new() -> Arc<Self> {
        let queued = Queued { entries: Vec::new(), closed: false };
        Arc::new(Self { queued: Mutex::new(queued), filled: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Queued<T>> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a message and enters it. Two tasks that publish at once would have their confirms mixed up, so the
    /// lock is held meanwhile.
    pub(super) fn publish(
        &self,
        channel: &Arc<Channel>,
        message: Outbound,
        entry: impl FnOnce(Published) -> T,
    ) -> Result<(), OutboxClosed> {
        let mut published = publishing(channel.clone(), message);
        let mut queued = self.lock();
        if queued.closed {
            return Err(OutboxClosed);
        }
        // Only an error can be ready now; kept as it is, it is found when the report is collected.
        if let Poll::Ready(report) = poll_once(published.as_mut()) {
            published = Box::pin(async { report });
        }
        queued.entries.push(entry(published));
        drop(queued);
        self.filled.notify_one();
        Ok(())
    }

    /// Enters something that needs no message.
    pub(super) fn push(&self, entry: T) {
        self.lock().entries.push(entry);
        self.filled.notify_one();
    }

    /// Has whoever takes from it look at the channel, though there is nothing to take.
    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Takes nothing more; returns what is still there.
    pub(super) fn close(&self) -> Vec<T> {
        let mut queued = self.lock();
        queued.closed = true;
        std::mem::take(&mut queued.entries)
    }

    /// Everything that has been entered since, as soon as there is something; nothing if it was woken for nothing.
    pub(super) async fn take(&self) -> Vec<T> {
        let taken = || std::mem::take(&mut self.lock().entries);
        let batch = taken();
        if !batch.is_empty() {
            return batch;
        }
        self.filled.notified().await;
        taken()
    }

    /// The same, and nothing every now and then until that moment.
    pub(super) async fn take_or_look(&self, until: Instant) -> Vec<T> {
        if Instant::now() < until {
            timeout(LOOK_FOR_RETURNS_EVERY, self.take()).await.unwrap_or_default()
        } else {
            self.take().await
        }
    }
}
