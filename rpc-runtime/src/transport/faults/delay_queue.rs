//! A queue of delayed messages.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{limits, lock::lock, tasks};

type Send = Box<dyn FnOnce() + std::marker::Send>;

struct Delayed {
    due: Instant,
    send: Send,
    /// Held with the message, and never read.
    _permit: OwnedSemaphorePermit,
}

/// Sends messages later, in one task. Messages that are due at the same time keep their order.
pub(super) struct DelayQueue {
    /// Made with the first message.
    sender: Mutex<Option<mpsc::UnboundedSender<Delayed>>>,
    permits: Arc<Semaphore>,
}

impl DelayQueue {
    pub(super) fn new() -> Self {
        Self { sender: Mutex::default(), permits: Arc::new(Semaphore::new(limits::HELD_UP)) }
    }

    /// Delays a message. If `cut` becomes `true` before it is due, the message is lost. Returns `false` if the queue is
    /// full.
    pub(super) fn push(
        &self,
        time: Duration,
        cut: watch::Receiver<bool>,
        send: impl FnOnce() + std::marker::Send + 'static,
    ) -> bool {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else { return false };
        let delayed = Delayed { due: Instant::now() + time, send: Box::new(send), _permit: permit };
        let mut sender = lock(&self.sender);
        // The task may have ended with its runtime.
        let running = sender.take().filter(|sender| !sender.is_closed());
        let running = running.unwrap_or_else(|| {
            let (sender, messages) = mpsc::unbounded_channel();
            tasks::spawn(run(messages, cut));
            sender
        });
        // If the task has ended by now, the connection has, too.
        let _ = running.send(delayed);
        *sender = Some(running);
        true
    }
}

async fn run(mut messages: mpsc::UnboundedReceiver<Delayed>, mut cut: watch::Receiver<bool>) {
    let mut delayed = VecDeque::<Delayed>::new();
    loop {
        let first = delayed.front().map(|one| one.due);
        let due = async {
            match first {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = cut.wait_for(|cut| *cut) => return,
            one = messages.recv() => match one {
                Some(one) => {
                    let at = delayed.partition_point(|earlier| earlier.due <= one.due);
                    delayed.insert(at, one);
                }
                None => return,
            },
            () = due => {
                if let Some(one) = delayed.pop_front() {
                    (one.send)();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A queue, the messages that it has sent, and a way to cut the connection.
    struct Fixture {
        queue: DelayQueue,
        sent: mpsc::UnboundedReceiver<u32>,
        sender: mpsc::UnboundedSender<u32>,
        cut: watch::Sender<bool>,
    }

    impl Fixture {
        fn new() -> Self {
            let (sender, sent) = mpsc::unbounded_channel();
            Self { queue: DelayQueue::new(), sent, sender, cut: watch::Sender::new(false) }
        }

        fn push(&self, time: Duration, number: u32) -> bool {
            let sender = self.sender.clone();
            self.queue.push(time, self.cut.subscribe(), move || sender.send(number).unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn messages_are_sent_in_order_of_due_time() {
        let (mut fixture, started) = (Fixture::new(), Instant::now());
        assert!(fixture.push(2 * SECOND, 3));
        for number in 0..3 {
            assert!(fixture.push(SECOND, number));
        }
        for number in 0..4 {
            assert_eq!(fixture.sent.recv().await, Some(number));
        }
        assert!(started.elapsed() >= 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_delayed_messages_is_bounded() {
        let mut fixture = Fixture::new();
        for _ in 0..limits::HELD_UP {
            assert!(fixture.push(SECOND, 0));
        }
        assert!(!fixture.push(SECOND, 1), "the queue is full");
        assert_eq!(fixture.sent.recv().await, Some(0));
        assert!(fixture.push(SECOND, 1), "the queue has room again");
    }

    #[tokio::test(start_paused = true)]
    async fn delayed_messages_are_lost_with_the_connection() {
        let mut fixture = Fixture::new();
        assert!(fixture.push(SECOND, 0));
        fixture.cut.send_replace(true);
        let Fixture { sender, .. } = fixture;
        drop(sender);
        assert_eq!(fixture.sent.recv().await, None);
    }
}
