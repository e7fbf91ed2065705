//! The serving side: from a queue to an implementation of the trait, and back.

mod admission;
mod batch;
mod builder;
mod handler;
mod health;
mod histogram;
mod instance;
mod layered;
mod lifecycle;
mod lines;
mod meter;
mod neighbours;
mod request;
mod responder;
mod stats;
mod waits;
mod worker;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use tracing::{info, warn};

pub use builder::ServerBuilder;
pub use handler::{Dispatch, GeneratedServer, Handler, Internal, asynchronous, blocking};
pub use health::{Health, HealthStatus};
pub use lifecycle::ShutdownError;
pub use stats::ServerStats;

use self::{instance::Instance, stats::Counters};
use crate::causes::opaque_debug;
use crate::context::Phase;

/// A running server: it consumes the queues of its services until it is shut down.
///
/// Dropping it stops it at once, with a line at WARN: requests that it was working on go back to their queues. So
/// `let _ = builder.start().await?` serves nothing: keep it in a variable with a name.
///
/// ```
/// use rpc_runtime::{Broker, Server, rpc_service};
///
/// #[rpc_service]
/// trait Clock {
///     async fn year(&self) -> u32;
/// }
///
/// struct Stopped;
/// impl Clock for Stopped {
///     async fn year(&self) -> u32 {
///         1926
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = Broker::in_memory();
/// let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
/// assert_eq!(ClockClient::new(&broker).year().await?, 1926);
/// server.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    workers: JoinSet<()>,
    phase: watch::Sender<Phase>,
    grace_period: Duration,
    counters: Arc<Counters>,
    instance: Arc<Instance>,
    health: Health,
    /// What answers questions about the server, and what follows its connection; they end with it.
    beside: JoinSet<()>,
    /// Why it is dropped, where nobody has to be warned of that.
    end: Option<&'static str>,
}

impl Server {
    /// Stops taking requests, finishes those that were started, replies, and gives the others back to their queues.
    ///
    /// # Errors
    ///
    /// Some handlers had not finished when the grace period ended; their requests went back to the queue, where another
    /// server runs them again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the server at once.
    pub async fn shutdown(mut self) -> Result<(), ShutdownError> {
        let stopped = &self.counters.stopped;
        lifecycle::shut_down(&self.phase, &mut self.workers, stopped, self.grace_period).await
    }

    /// Serves until `signal` resolves, then shuts down.
    ///
    /// ```no_run
    /// # async fn run(server: rpc_runtime::Server) -> Result<(), rpc_runtime::ShutdownError> {
    /// server.run_until(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the server at once.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> Result<(), ShutdownError> {
        signal.await;
        self.shutdown().await
    }

    /// What the server calls itself where it is [asked](crate::discovery): a text of its own.
    pub fn instance(&self) -> &str {
        &self.instance.id
    }

    /// Whether it takes requests, now and from now on.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// What this server has done so far.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, Server, rpc_service};
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let broker = Broker::in_memory();
    /// let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
    /// ClockClient::new(&broker).year().await?;
    ///
    /// let stats = server.stats();
    /// assert_eq!((stats.requests, stats.answered, stats.faults), (1, 1, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stats(&self) -> ServerStats {
        self.counters.snapshot()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Those that have ended said why.
        while self.workers.try_join_next().is_some() {}
        if self.workers.is_empty() {
            return;
        }
        let instance = &*self.instance.id;
        if let Some(reason) = self.end {
            // Services start in this order, and a start that fails has got to this one.
            for (service, queue) in self.instance.served().take(self.workers.len()) {
                info!(service, queue, instance, reason, "stopped");
            }
            return;
        }
        let services = self.instance.services().collect::<Vec<_>>().join(", ");
        let queues = self.instance.queues().collect::<Vec<_>>().join(", ");
        warn!(
            services,
            queues,
            instance,
            "stopped: the `Server` was dropped and not shut down, so requests that it was working on go back to their \
             queues; keep it in a variable (`let _ = builder.start().await?` drops it in that line), and call \
             `shutdown` or `run_until`"
        );
    }
}

opaque_debug!(Server, |it|
    instance: it.instance.id,
    queues: it.instance.queues().collect::<Vec<_>>(),
    health: it.health.status(),
    stats: it.stats()
);
