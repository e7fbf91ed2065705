//! Messages that are held up.

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

struct Held {
    due: Instant,
    send: Send,
    /// Held with the message, not read.
    _room: OwnedSemaphorePermit,
}

/// Sends messages later, on one task: those that are due at the same time in the order in which they came.
pub(super) struct Line {
    /// Opened with the first of them.
    entrance: Mutex<Option<mpsc::UnboundedSender<Held>>>,
    room: Arc<Semaphore>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { entrance: Mutex::default(), room: Arc::new(Semaphore::new(limits::HELD_UP)) }
    }

    /// Holds a message up for a time, or until `cut`, with which it is lost; `false` if there is no room for it.
    pub(super) fn hold(
        &self,
        time: Duration,
        cut: watch::Receiver<bool>,
        send: impl FnOnce() + std::marker::Send + 'static,
    ) -> bool {
        let Ok(room) = self.room.clone().try_acquire_owned() else { return false };
        let held = Held { due: Instant::now() + time, send: Box::new(send), _room: room };
        let mut entrance = lock(&self.entrance);
        // The task may have ended with its runtime.
        let going = entrance.take().filter(|entrance| !entrance.is_closed());
        let going = going.unwrap_or_else(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            tasks::spawn(run(receiver, cut));
            sender
        });
        // Where the task is gone now, so is the connection.
        let _ = going.send(held);
        *entrance = Some(going);
        true
    }
}

async fn run(mut entrance: mpsc::UnboundedReceiver<Held>, mut cut: watch::Receiver<bool>) {
    let mut held = VecDeque::<Held>::new();
    loop {
        let first = held.front().map(|one| one.due);
        let due = async {
            match first {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = cut.wait_for(|cut| *cut) => return,
            one = entrance.recv() => match one {
                Some(one) => {
                    let at = held.partition_point(|earlier| earlier.due <= one.due);
                    held.insert(at, one);
                }
                None => return,
            },
            () = due => {
                if let Some(one) = held.pop_front() {
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

    /// A line, what it has sent, and what cuts it.
    struct Bench {
        line: Line,
        sent: mpsc::UnboundedReceiver<u32>,
        sender: mpsc::UnboundedSender<u32>,
        cut: watch::Sender<bool>,
    }

    impl Bench {
        fn new() -> Self {
            let (sender, sent) = mpsc::unbounded_channel();
            Self { line: Line::new(), sent, sender, cut: watch::Sender::new(false) }
        }

        fn hold(&self, time: Duration, number: u32) -> bool {
            let sender = self.sender.clone();
            self.line.hold(time, self.cut.subscribe(), move || sender.send(number).unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_first_is_sent_first_and_equal_times_keep_their_order() {
        let (mut bench, started) = (Bench::new(), Instant::now());
        assert!(bench.hold(2 * SECOND, 3));
        for number in 0..3 {
            assert!(bench.hold(SECOND, number));
        }
        for number in 0..4 {
            assert_eq!(bench.sent.recv().await, Some(number));
        }
        assert!(started.elapsed() >= 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_held_than_there_is_room_for() {
        let mut bench = Bench::new();
        for _ in 0..limits::HELD_UP {
            assert!(bench.hold(SECOND, 0));
        }
        assert!(!bench.hold(SECOND, 1), "there is no room");
        assert_eq!(bench.sent.recv().await, Some(0));
        assert!(bench.hold(SECOND, 1), "there is room again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_lost_with_the_connection() {
        let mut bench = Bench::new();
        assert!(bench.hold(SECOND, 0));
        bench.cut.send_replace(true);
        let Bench { sender, .. } = bench;
        drop(sender);
        assert_eq!(bench.sent.recv().await, None);
    }
}
