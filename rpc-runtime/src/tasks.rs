//! Helpers for futures: boxing, catching panics, polling once, and a task that can be started again.
//!
//! The code that runs a task is compiled for each type of future, and an `async fn` in each crate that awaits it. Boxed
//! futures make both happen once, here.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

use pin_project_lite::pin_project;
use tokio::{task::JoinHandle, time::sleep};

use crate::{limits, lock::lock};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Erases the type of a future.
pub(crate) fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(boxed(future))
}

/// A task that is aborted when this is dropped. It can be started again on another runtime after its own has ended, and,
/// after a pause, if it has panicked.
#[derive(Default)]
pub(crate) struct Lasting(Mutex<Option<Started>>);

struct Started {
    task: JoinHandle<()>,
    early_end: Arc<EarlyEnd>,
}

/// Why a task ended before it finished.
#[derive(Default)]
struct EarlyEnd {
    /// It panicked, or its runtime has ended.
    dropped: AtomicBool,
    panicked: AtomicBool,
}

impl Lasting {
    /// Starts the task on the current runtime, unless it is running or has finished. If the task is dropped before it
    /// finishes, `dropped` is called, and then `wake`, as soon as the task may be started again. Returns `false` if the
    /// current runtime has shut down.
    pub(crate) fn start<F>(
        &self,
        task: impl FnOnce() -> F,
        dropped: impl FnOnce() + Send + 'static,
        wake: impl FnOnce() + Send + 'static,
    ) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut started = lock(&self.0);
        let before = started.as_ref().map(|started| &started.early_end);
        if before.is_some_and(|end| !end.dropped.load(Ordering::SeqCst)) {
            return true;
        }
        // Without the pause, a task that panics at once would do so in a loop.
        let pause = before.is_some_and(|end| end.panicked.load(Ordering::SeqCst));
        let early_end = Arc::new(EarlyEnd::default());
        let noted = early_end.clone();
        let end = End(Some(Box::new(move || {
            dropped();
            noted.panicked.store(thread::panicking(), Ordering::SeqCst);
            noted.dropped.store(true, Ordering::SeqCst);
            wake();
        })));
        let task = task();
        let task = spawn(async move {
            let mut end = end;
            if pause {
                sleep(limits::LONGEST_PAUSE).await;
            }
            task.await;
            end.0 = None;
        });
        let is_running = !early_end.dropped.load(Ordering::SeqCst);
        *started = Some(Started { task, early_end });
        is_running
    }

    /// Aborts the task.
    pub(crate) fn stop(&self) {
        if let Some(started) = &*lock(&self.0) {
            started.task.abort();
        }
    }
}

impl Drop for Lasting {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Calls the function if it is dropped with its task; `None` once the task has finished.
struct End(Option<Box<dyn FnOnce() + Send>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            dropped();
        }
    }
}

/// Polls a future once. Returns its output if it is ready.
pub(crate) fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

pin_project! {
    /// A future that resolves to an error if the inner future panics. State that the inner future was changing may be
    /// inconsistent after a panic, so it must not be used any more.
    pub(crate) struct CatchUnwind<F> {
        #[pin]
        future: F,
    }
}

impl<F> CatchUnwind<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for CatchUnwind<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.project().future.poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::{
        runtime::{Builder, Runtime},
        sync::watch,
        time::Instant,
    };

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_task_starts_again_after_its_runtime() {
        let (lasting, starts) = (Lasting::default(), watch::Sender::new(0));
        let start = || {
            let (starts, dropped) = (starts.clone(), starts.clone());
            let task = move || async move {
                starts.send_modify(|starts| *starts += 1);
                pending::<()>().await;
            };
            lasting.start(task, move || dropped.send_modify(|starts| *starts += 10), || {})
        };
        for turn in 1..=3 {
            let runtime = runtime();
            runtime.block_on(async {
                assert!(start() && start(), "once");
                let mut starts = starts.subscribe();
                let started = starts.wait_for(|starts| starts % 10 == turn);
                tokio::time::timeout(Duration::from_secs(10), started).await.unwrap().unwrap();
            });
            assert_eq!(*starts.borrow() / 10, turn - 1);
            drop(runtime);
            assert_eq!(*starts.borrow() / 10, turn);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panicked_task_restarts_after_a_pause() {
        let (lasting, starts) = (Lasting::default(), watch::Sender::new(0));
        let start = || {
            let (starts, ended) = (starts.clone(), starts.clone());
            let task = move || async move {
                starts.send_modify(|starts| *starts += 1);
                panic!("a fault of the task");
            };
            lasting.start(task, || {}, move || ended.send_modify(|starts| *starts += 10))
        };
        let mut seen = starts.subscribe();
        let began = Instant::now();
        assert!(start());
        seen.wait_for(|starts| *starts == 11).await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(start());
        seen.wait_for(|starts| *starts == 22).await.unwrap();
        assert!(began.elapsed() >= limits::LONGEST_PAUSE, "{:?}", began.elapsed());
    }

    #[test]
    fn a_finished_task_does_not_start_again() {
        let lasting = Lasting::default();
        let start = |runs: &watch::Sender<u32>| {
            let runs = runs.clone();
            let task = move || async move { runs.send_modify(|runs| *runs += 1) };
            lasting.start(task, || panic!("it has finished"), || {})
        };
        let runs = watch::Sender::new(0);
        for _ in 0..3 {
            runtime().block_on(async {
                assert!(start(&runs));
                tokio::task::yield_now().await;
            });
        }
        assert_eq!(*runs.borrow(), 1);
    }

    #[test]
    fn a_task_cannot_start_on_an_ended_runtime() {
        let lasting = Lasting::default();
        let runtime = runtime();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        assert!(!lasting.start(|| async {}, || {}, || {}));
    }
}
