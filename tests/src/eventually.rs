use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Short enough not to slow a test, long enough not to burden the machine that the test waits for.
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks until the answer is there, and returns it.
///
/// # Panics
///
/// After `patience`, with `what` did not come about.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    eventually_async(what, patience, async || ask()).await
}

/// [`eventually`], where asking takes an `await`.
///
/// # Panics
///
/// After `patience`, with `what` did not come about.
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
