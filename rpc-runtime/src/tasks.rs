//! Futures: behind one type, with their panics caught, and polled but once.
//!
//! What runs a task is compiled once for each type of future, and an `async fn` in every crate that awaits it. Boxed, both
//! happen once, here.

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

/// A future whose type nobody has to know.
pub(crate) fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

/// Starts a task.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(boxed(future))
}

/// A task that goes on for as long as this lives. Where its runtime has ended, it is started again on another; after a
/// panic, with a pause before.
#[derive(Default)]
pub(crate) struct Lasting(Mutex<Option<Started>>);

struct Started {
    task: JoinHandle<()>,
    gone: Arc<Gone>,
}

/// How a task ended before it was done.
#[derive(Default)]
struct Gone {
    /// It panicked, or its runtime has ended.
    dropped: AtomicBool,
    panicked: AtomicBool,
}

impl Lasting {
    /// Starts the task on the current runtime, unless it runs or is done. `dropped` runs where it is dropped before it is
    /// done, and `wake` as soon as it may be started again. Says `false` where the current runtime takes no tasks any more.
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
        let before = started.as_ref().map(|started| &started.gone);
        if before.is_some_and(|gone| !gone.dropped.load(Ordering::SeqCst)) {
            return true;
        }
        // What panics at once would otherwise do so without end.
        let pause = before.is_some_and(|gone| gone.panicked.load(Ordering::SeqCst));
        let gone = Arc::new(Gone::default());
        let noted = gone.clone();
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
        let taken = !gone.dropped.load(Ordering::SeqCst);
        *started = Some(Started { task, gone });
        taken
    }

    /// Ends it.
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

/// Runs this where it is dropped with its task; `None` once the task is done.
struct End(Option<Box<dyn FnOnce() + Send>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            dropped();
        }
    }
}

/// The output of a future that does not have to wait.
pub(crate) fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

pin_project! {
    /// A future that resolves to an error where the one in it panics. After that nobody may use what it worked with and
    /// left half done.
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
    async fn a_task_that_panicked_starts_again_after_a_pause() {
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
    fn a_task_that_is_done_stays_so() {
        let lasting = Lasting::default();
        let start = |runs: &watch::Sender<u32>| {
            let runs = runs.clone();
            let task = move || async move { runs.send_modify(|runs| *runs += 1) };
            lasting.start(task, || panic!("it is done"), || {})
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
    fn a_runtime_that_has_ended_takes_no_task() {
        let lasting = Lasting::default();
        let runtime = runtime();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        assert!(!lasting.start(|| async {}, || {}, || {}));
    }
}
