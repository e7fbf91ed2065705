use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Short enough not to delay a test, long enough not to load the machine.
const INTERVAL: Duration = Duration::from_millis(20);

/// Polls until there is an answer, and returns it.
///
/// # Panics
///
/// After `patience`, with `what` as the missing state.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    eventually_async(what, patience, async || ask()).await
}

/// [`eventually`] for async questions.
///
/// # Panics
///
/// After `patience`, with `what` as the missing state.
pub async fn eventually_async<T>(
    what: &str,
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "after {patience:?} still not so: {what}");
        sleep(INTERVAL).await;
    }
}
