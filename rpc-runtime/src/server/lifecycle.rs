//! How a server ends.

use std::{error::Error, fmt, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::stats::Counter;
use crate::{
    causes::debug_as_sentence,
    context::Phase,
    limits,
    tasks::{BoxFuture, boxed},
};

/// Some handlers had not finished when the grace period of a shutdown ended.
///
/// ```
/// # use rpc_runtime::{Broker, Server, rpc_service};
/// use std::time::Duration;
/// # #[rpc_service]
/// # trait Oracle { async fn ask(&self) -> String; }
/// # struct Delphi;
/// # impl Oracle for Delphi { async fn ask(&self) -> String { std::future::pending().await } }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let broker = Broker::in_memory();
///
/// let server = Server::builder(&broker)
///     .service(OracleServer::new(Delphi))
///     .grace_period(Duration::from_secs(5))
///     .start()
///     .await?;
/// // Its method never returns.
/// OracleClient::new(&broker).ask().send().await?;
/// # while server.stats().requests == 0 { tokio::task::yield_now().await; }
///
/// let error = server.shutdown().await.unwrap_err();
/// assert_eq!(error.unfinished(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShutdownError {
    unfinished: usize,
}

impl ShutdownError {
    /// How many requests went back to their queues, to be run again by another server.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} handlers had not finished within the grace period; their requests went back to the queue",
            self.unfinished
        )
    }
}

impl Error for ShutdownError {}

debug_as_sentence!(ShutdownError);

/// Leads the workers through the phases. They count the handlers that they had to stop.
pub(super) fn shut_down<'a>(
    phase: &'a watch::Sender<Phase>,
    workers: &'a mut JoinSet<()>,
    stopped: &'a Counter,
    grace_period: Duration,
) -> BoxFuture<'a, Result<(), ShutdownError>> {
    boxed(async move {
        let steps = [
            (Phase::Draining, grace_period),
            (Phase::Over, limits::LAST_WORDS),
            (Phase::Stopped, Duration::MAX),
        ];
        for (next, time) in steps {
            phase.send_replace(next);
            let all = async { while workers.join_next().await.is_some() {} };
            if timeout(time, all).await.is_ok() {
                break;
            }
        }
        match usize::try_from(stopped.get()).unwrap_or(usize::MAX) {
            0 => Ok(()),
            unfinished => Err(ShutdownError { unfinished }),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::*;

    const GRACE: Duration = Duration::from_secs(20);

    /// Shuts down a server whose worker ends in this phase: the phases that it saw, how long it took, and how it ended.
    async fn ends_in(
        last: Phase,
        stopped: u64,
    ) -> (Vec<Phase>, Duration, Result<(), ShutdownError>) {
        let phase = watch::Sender::new(Phase::Serving);
        let (counter, mut workers) = (Counter::default(), JoinSet::new());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut on_its_way, log) = (phase.subscribe(), seen.clone());
        workers.spawn(async move {
            loop {
                on_its_way.changed().await.unwrap();
                let now = *on_its_way.borrow_and_update();
                log.lock().unwrap().push(now);
                if now == last {
                    return;
                }
            }
        });
        (0..stopped).for_each(|_| counter.increment());
        let before = Instant::now();
        let ended = shut_down(&phase, &mut workers, &counter, GRACE).await;
        let seen = seen.lock().unwrap().clone();
        (seen, before.elapsed(), ended)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_ends_as_soon_as_its_workers_have() {
        for (last, phases, time) in [
            (Phase::Draining, &[Phase::Draining][..], Duration::ZERO),
            (Phase::Over, &[Phase::Draining, Phase::Over], GRACE),
            (
                Phase::Stopped,
                &[Phase::Draining, Phase::Over, Phase::Stopped],
                GRACE + limits::LAST_WORDS,
            ),
        ] {
            let (seen, took, ended) = ends_in(last, 0).await;
            assert_eq!((seen.as_slice(), ended), (phases, Ok(())), "{last:?}");
            assert!(took >= time && took < time + Duration::from_secs(1), "{last:?}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn handlers_that_were_stopped_are_counted() {
        let (_, _, ended) = ends_in(Phase::Stopped, 3).await;
        assert_eq!(ended.map_err(|error| error.unfinished()), Err(3));
    }

    #[tokio::test]
    async fn a_server_without_workers_ends_at_once() {
        let phase = watch::Sender::new(Phase::Serving);
        let ended = shut_down(&phase, &mut JoinSet::new(), &Counter::default(), GRACE).await;
        assert_eq!((*phase.borrow(), ended), (Phase::Draining, Ok(())));
    }
}
