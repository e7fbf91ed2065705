//! How far a server has come on its way to its end.

use tokio::sync::watch;

/// Where a server is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// It takes no more requests.
    Draining,
    /// The grace period has ended: handlers are told.
    Over,
    /// Handlers that still run are stopped.
    Stopped,
}

impl Phase {
    /// Waits until the server has come so far, or is gone.
    pub(crate) async fn reached(self, on_its_way: &mut watch::Receiver<Self>) {
        // An error means that it is gone.
        let _ = on_its_way.wait_for(|phase| *phase >= self).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::now;

    #[test]
    fn a_phase_that_passed_is_reached() {
        let (server, mut seen) = watch::channel(Phase::Draining);
        assert!(now(Phase::Over.reached(&mut seen)).is_none());
        server.send_replace(Phase::Stopped);
        assert!(now(Phase::Over.reached(&mut seen)).is_some(), "nobody looked meanwhile");
        server.send_replace(Phase::Serving);
        drop(server);
        assert!(now(Phase::Over.reached(&mut seen)).is_some());
    }
}
