//! Keeps a connection up: a lost connection is replaced by a new one. This module knows nothing of calls and services.

mod access;
mod alarms;
mod patience;
mod reconnect;
mod status;

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::watch;

pub(crate) use self::access::Access;
pub(crate) use self::patience::{Patience, pauses};
use self::reconnect::Reconnects;
pub use self::status::{BrokerStatus, StatusChanges};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    tasks::Lasting,
    transport::{Connection, Transport},
};

/// Cheap to clone. Dropping the last clone ends the connection.
#[derive(Clone)]
pub(crate) struct Supervisor(Arc<Supervised>);

struct Supervised {
    reconnects: Arc<Reconnects>,
    task: Lasting,
}

#[derive(Clone)]
pub(crate) enum State {
    /// No connection has been needed yet, or an attempt is in progress.
    Connecting,
    Up {
        connection: Arc<dyn Connection>,
        /// Why the broker accepts no messages; `None` if it does.
        blocked: Option<Arc<str>>,
    },
    /// The broker refused the connection, or the allowed number of attempts failed.
    Refused(BrokerError),
    Closed,
}

impl State {
    pub(crate) fn status(&self) -> BrokerStatus {
        match self {
            Self::Connecting => BrokerStatus::Connecting,
            Self::Up { blocked: None, .. } => BrokerStatus::Connected,
            Self::Up { blocked: Some(reason), .. } => BrokerStatus::Blocked(reason.clone()),
            Self::Refused(error) => BrokerStatus::Refused(error.clone()),
            Self::Closed => BrokerStatus::Closed,
        }
    }
}

/// What calls do while the connection is down, or the broker accepts no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unavailable {
    /// They wait until their deadline.
    #[default]
    Wait,
    /// They fail at once: with [`CallError::ConnectionLost`](crate::CallError) if there is no connection, and refused as
    /// `overloaded` if the broker accepts no messages. Both errors report that the request was not sent.
    Fail,
}

/// Why a call cannot be sent now.
#[derive(Debug)]
pub(crate) enum NotReady {
    /// There is no connection.
    Down,
    /// The broker accepts no messages.
    Blocked(Arc<str>),
    /// There is no connection, and there will be none.
    Never(BrokerError),
}

impl Supervisor {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        max_attempts: Option<u32>,
        patience: Option<Patience>,
    ) -> Self {
        Self::in_state(State::Connecting, transport, max_attempts, patience)
    }

    /// A supervisor whose connection is already up.
    pub(crate) fn up(transport: Arc<dyn Transport>, connection: Arc<dyn Connection>) -> Self {
        Self::in_state(State::Up { connection, blocked: None }, transport, None, None)
    }

    fn in_state(
        state: State,
        transport: Arc<dyn Transport>,
        max_attempts: Option<u32>,
        patience: Option<Patience>,
    ) -> Self {
        let reconnects = Reconnects {
            transport,
            max_attempts,
            patience,
            connected: AtomicBool::new(false),
            state: watch::Sender::new(state),
        };
        Self(Arc::new(Supervised { reconnects: Arc::new(reconnects), task: Lasting::default() }))
    }

    /// Follows the connection from now on, instead of from its first use.
    #[cfg(feature = "testing")]
    pub(crate) fn start(&self) {
        // If the runtime has shut down, nobody waits for a connection.
        let _ = self.0.start();
    }

    /// The same broker for another user; `None` if the transport does not support it.
    pub(crate) fn for_user(&self, user: &str) -> Option<Self> {
        let (transport, connection) = self.0.reconnects.transport.for_user(user)?;
        Some(match connection {
            Some(connection) => Self::up(transport, connection),
            None => Self::new(transport, self.0.reconnects.max_attempts, None),
        })
    }

    pub(crate) fn address(&self) -> String {
        self.0.reconnects.transport.address()
    }

    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.0.reconnects.state.subscribe()
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.0.reconnects.state.borrow(), State::Closed)
    }

    /// Whether the broker accepts messages now.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.0.reconnects.state.borrow(), State::Up { blocked: None, .. })
    }

    /// Returns when the broker accepts messages. `unavailable` decides whether it waits for that or fails.
    pub(crate) async fn ready(&self, unavailable: Unavailable) -> Result<(), NotReady> {
        let mut states = self.states();
        loop {
            // Started in each round, because the task's runtime may have ended. `changed` below sees every change from here
            // on.
            states.mark_unchanged();
            self.0.start().map_err(NotReady::Never)?;
            let not_ready = match &*states.borrow() {
                State::Up { blocked: None, .. } => return Ok(()),
                State::Up { blocked: Some(reason), .. } => NotReady::Blocked(reason.clone()),
                State::Connecting => NotReady::Down,
                State::Refused(error) => return Err(NotReady::Never(error.clone())),
                State::Closed => return Err(NotReady::Never(closed())),
            };
            if unavailable == Unavailable::Fail {
                return Err(not_ready);
            }
            if states.changed().await.is_err() {
                return Err(NotReady::Never(closed()));
            }
        }
    }

    /// Resolves when a call with [`Unavailable::Fail`] has to fail.
    pub(crate) async fn not_ready(&self) -> NotReady {
        let mut states = self.states();
        loop {
            if let Err(not_ready) = self.ready(Unavailable::Fail).await {
                return not_ready;
            }
            if states.changed().await.is_err() {
                return NotReady::Never(closed());
            }
        }
    }

    /// The live connection, as soon as there is one.
    pub(crate) async fn connection(&self) -> Result<Arc<dyn Connection>, BrokerError> {
        let mut states = self.0.reconnects.state.subscribe();
        loop {
            states.mark_unchanged();
            self.0.start()?;
            match &*states.borrow() {
                State::Up { connection, .. } => return Ok(connection.clone()),
                State::Refused(error) => return Err(error.clone()),
                State::Closed => return Err(closed()),
                State::Connecting => {}
            }
            if states.changed().await.is_err() {
                return Err(closed());
            }
        }
    }

    /// Waits for the first connection, within its time limit.
    pub(crate) async fn first_connection(&self) -> Result<(), BrokerError> {
        // The task runs on this runtime, and gives up at the time limit.
        self.connection().await.map(drop)
    }

    pub(crate) async fn close(&self) {
        let before = self.0.reconnects.state.send_replace(State::Closed);
        self.0.task.stop();
        if let State::Up { connection, .. } = before {
            connection.close().await;
        }
    }
}

impl Supervised {
    fn start(&self) -> Result<(), BrokerError> {
        let reconnects = &self.reconnects;
        if matches!(*reconnects.state.borrow(), State::Closed) {
            return Ok(());
        }
        let task = || {
            let first = match &*reconnects.state.borrow() {
                State::Up { connection, .. } => Some(connection.clone()),
                _ => None,
            };
            reconnects.clone().run(first)
        };
        let ends_with_runtime = reconnects.transport.needs_its_runtime();
        let [dropped, woken] = [reconnects.clone(), reconnects.clone()];
        let dropped = move || {
            if ends_with_runtime {
                advance(&dropped.state, State::Connecting);
            }
        };
        let wake = move || {
            if ends_with_runtime {
                woken.state.send_modify(|_| {});
            }
        };
        if self.task.start(task, dropped, wake) { Ok(()) } else { Err(runtime_ended()) }
    }
}

/// The runtime that a connection was made on, or should be made on, has ended.
pub(crate) fn runtime_ended() -> BrokerError {
    let message = "the tokio runtime that the connection was made on has ended";
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "the `Broker` was closed by this program")
}

/// Moves to the next state, unless the connection was closed in the meantime.
fn advance(state: &watch::Sender<State>, next: State) -> bool {
    state.send_if_modified(|current| {
        let open = !matches!(current, State::Closed);
        if open {
            *current = next;
        }
        open
    })
}
