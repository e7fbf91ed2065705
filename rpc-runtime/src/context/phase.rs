//! The phases of a server, from serving to stopped.

use tokio::sync::watch;

/// The phase of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// It accepts no more requests.
    Draining,
    /// The grace period has ended, and `Context::cancelled` resolves in handlers.
    Over,
    /// Handlers that still run are stopped.
    Stopped,
}

impl Phase {
    /// Waits until the server has reached this phase, or was dropped.
    pub(crate) async fn reached(self, phases: &mut watch::Receiver<Self>) {
        // An error means that the server was dropped.
        let _ = phases.wait_for(|phase| *phase >= self).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::now;

    #[test]
    fn a_phase_that_has_passed_is_reached() {
        let (server, mut phases) = watch::channel(Phase::Draining);
        assert!(now(Phase::Over.reached(&mut phases)).is_none());
        server.send_replace(Phase::Stopped);
        assert!(now(Phase::Over.reached(&mut phases)).is_some(), "nobody looked in between");
        server.send_replace(Phase::Serving);
        drop(server);
        assert!(now(Phase::Over.reached(&mut phases)).is_some());
    }
}
