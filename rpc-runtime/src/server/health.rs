//! Whether a server takes requests.

use std::fmt;

use tokio::sync::watch;

use crate::{
    connection::{BrokerStatus, StatusChanges},
    context::Phase,
};

/// Whether a server takes requests, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthStatus {
    /// It consumes the queues of all its services.
    Ready,
    /// It consumes, but RabbitMQ is short of memory or disk space and accepts no messages from its connection.
    /// Methods run, and their replies wait. RabbitMQ sends this notice only to a connection that publishes, so an
    /// idle server does not get it.
    Blocked,
    /// At least one queue is not consumed, because the connection or its channel was lost, or the queue was deleted.
    /// The server keeps trying.
    Disconnected,
    /// It finishes the requests in progress and takes no more.
    Draining,
    /// It was shut down or dropped.
    Stopped,
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::Disconnected => "disconnected",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        })
    }
}

/// The health of a [`Server`](crate::Server), for an HTTP probe or a service manager. Made by
/// [`Server::health`](crate::Server::health). It outlives the server.
///
/// ```
/// use rpc_runtime::{Broker, HealthStatus, Server, rpc_service};
///
/// # #[rpc_service]
/// # trait Clock { async fn year(&self) -> u32; }
/// # struct Stopped;
/// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let broker = Broker::in_memory();
/// let server = Server::builder(&broker).service(ClockServer::new(Stopped)).start().await?;
/// let mut health = server.health();
/// assert!(health.is_ready());
///
/// server.shutdown().await?;
/// assert_eq!(health.changed().await, HealthStatus::Stopped);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Health {
    phase: watch::Receiver<Phase>,
    /// How many queues are not consumed.
    idle: watch::Receiver<usize>,
    /// Whether the broker accepts no messages. This is a copy, because the connection's own state would keep it open
    /// as long as this handle lives.
    blocked: watch::Receiver<bool>,
    last: HealthStatus,
}

impl Health {
    pub(super) fn new(
        phase: watch::Receiver<Phase>,
        idle: watch::Receiver<usize>,
        blocked: watch::Receiver<bool>,
    ) -> Self {
        let mut health = Self { phase, idle, blocked, last: HealthStatus::Ready };
        health.last = health.status();
        health
    }

    /// The current status.
    pub fn status(&self) -> HealthStatus {
        // The server owns the sender, so an error means that it is gone.
        if self.phase.has_changed().is_err() {
            HealthStatus::Stopped
        } else if *self.phase.borrow() != Phase::Serving {
            HealthStatus::Draining
        } else if *self.idle.borrow() > 0 {
            HealthStatus::Disconnected
        } else if *self.blocked.borrow() {
            HealthStatus::Blocked
        } else {
            HealthStatus::Ready
        }
    }

    /// Whether it takes requests of all its services and sends replies.
    pub fn is_ready(&self) -> bool {
        self.status() == HealthStatus::Ready
    }

    /// Waits until the status differs from the one that this method returned last, or from the one when the handle
    /// was made. It skips statuses that ended between two calls. After [`Stopped`](HealthStatus::Stopped) it waits
    /// for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no change.
    pub async fn changed(&mut self) -> HealthStatus {
        loop {
            self.phase.mark_unchanged();
            self.idle.mark_unchanged();
            self.blocked.mark_unchanged();
            let status = self.status();
            if status != self.last {
                self.last = status;
                return status;
            }
            if status == HealthStatus::Stopped {
                return std::future::pending().await;
            }
            // An error also ends the wait: the server is gone.
            tokio::select! {
                _ = self.phase.changed() => {}
                Ok(()) = self.idle.changed() => {}
                Ok(()) = self.blocked.changed() => {}
            }
        }
    }
}

/// Copies the connection's blocked state into `blocked`, as long as there is a connection.
pub(super) async fn follow(mut changes: StatusChanges, blocked: watch::Sender<bool>) {
    while let Some(status) = changes.next().await {
        let now = matches!(status, BrokerStatus::Blocked(_));
        blocked.send_if_modified(|before| std::mem::replace(before, now) != now);
    }
}
