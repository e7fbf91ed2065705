//! Looking again before a thread sleeps.

use std::task::Context;

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task,
};

/// Some ten microseconds, in which a method that answers at once has answered.
const LOOKS: u16 = 512;

/// A thread with more calls in flight than that seldom has nothing to do.
const FEW: usize = 16;

/// How often a call still looks for its outcome before it waits to be woken.
///
/// A thread in `block_on` has nothing else to do than to wait for its one future, and to send it to sleep and to wake it
/// takes longer than a call within the process. A task never looks again: others want its thread.
#[derive(Debug, Default)]
pub(super) struct Looks(u16);

impl Looks {
    /// As often as it helps, for a call whose outcome is near.
    pub(super) fn near(in_flight: impl FnOnce() -> usize) -> Self {
        // In a runtime of one thread, whoever could answer runs on this very one.
        let answered_elsewhere =
            || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        let helps = task::try_id().is_none() && answered_elsewhere() && in_flight() <= FEW;
        Self(if helps { LOOKS } else { 0 })
    }

    /// Has the call polled again, unless it has looked often enough.
    pub(super) fn again(&mut self, cx: &Context<'_>) {
        if let Some(left) = self.0.checked_sub(1) {
            self.0 = left;
            cx.waker().wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU16, Ordering},
        },
        task::{Wake, Waker},
    };

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicU16);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a call that is near looks again.
    fn looks(in_flight: usize) -> u16 {
        let (mut looks, counted) = (Looks::near(|| in_flight), Arc::new(Wakes::default()));
        let waker = Waker::from(counted.clone());
        for _ in 0..2 * LOOKS {
            looks.again(&Context::from_waker(&waker));
        }
        counted.0.load(Ordering::Relaxed)
    }

    async fn looks_of_a_task() -> u16 {
        tokio::spawn(async { looks(1) }).await.unwrap()
    }

    fn with_threads() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    #[test]
    fn a_thread_that_only_waits_looks_again_until_it_has_looked_often_enough() {
        assert_eq!(with_threads().block_on(async { looks(1) }), LOOKS);
    }

    #[test]
    fn with_many_calls_in_flight_it_waits_to_be_woken() {
        assert_eq!(with_threads().block_on(async { looks(FEW) }), LOOKS);
        assert_eq!(with_threads().block_on(async { looks(FEW + 1) }), 0);
    }

    #[test]
    fn a_task_and_a_runtime_of_one_thread_wait_to_be_woken() {
        let one = Builder::new_current_thread().build().unwrap();
        assert_eq!(with_threads().block_on(looks_of_a_task()), 0);
        assert_eq!(one.block_on(async { looks(1) }), 0);
        assert_eq!(one.block_on(looks_of_a_task()), 0);
    }
}
