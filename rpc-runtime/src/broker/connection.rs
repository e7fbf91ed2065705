//! A connection that is kept up: each one that is lost is followed by a new one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    error::{BrokerError, BrokerErrorKind},
    limits,
    transport::{Link, Transport},
};

/// The pauses between attempts: doubling, with jitter, without end.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(limits::FIRST_PAUSE)
        .with_max_delay(limits::LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Cheap to clone; the last clone takes the connection with it.
#[derive(Clone)]
pub(super) struct Connection(Arc<Supervised>);

struct Supervised {
    transport: Arc<dyn Transport>,
    state: watch::Sender<State>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone)]
enum State {
    /// Nobody has needed it yet, or an attempt is under way; the error is that of the last one.
    Connecting(Option<BrokerError>),
    Up(Arc<dyn Link>),
    /// The broker refused us. Attempts go on, seldom, in case somebody mends it.
    Refused(BrokerError),
    Closed,
}

impl Connection {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self(Arc::new(Supervised {
            transport,
            state: watch::Sender::new(State::Connecting(None)),
            supervisor: Mutex::new(None),
        }))
    }

    pub(super) fn address(&self) -> String {
        self.0.transport.address()
    }

    /// The live connection, as soon as there is one.
    pub(super) async fn link(&self) -> Result<Arc<dyn Link>, BrokerError> {
        self.0.start();
        let mut states = self.0.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                State::Up(link) => return Ok(link.clone()),
                State::Refused(error) => return Err(error.clone()),
                State::Closed => return Err(closed()),
                State::Connecting(_) => {}
            }
            if states.changed().await.is_err() {
                return Err(closed());
            }
        }
    }

    /// The first connection, within a time.
    pub(super) async fn first_link(&self, within: Duration) -> Result<(), BrokerError> {
        match timeout(within, self.link()).await {
            Ok(link) => link.map(drop),
            Err(_) => Err(match &*self.0.state.borrow() {
                State::Connecting(Some(last)) => last.clone(),
                _ => BrokerError::new(
                    BrokerErrorKind::Unreachable,
                    format!("{} did not answer within {within:?}", self.address()),
                ),
            }),
        }
    }

    pub(super) async fn close(&self) {
        let before = self.0.state.send_replace(State::Closed);
        self.0.stop();
        if let State::Up(link) = before {
            link.close().await;
        }
    }
}

impl Supervised {
    fn start(&self) {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if supervisor.is_none() {
            let supervise = supervise(self.transport.clone(), self.state.clone());
            *supervisor = Some(tokio::spawn(supervise));
        }
    }

    fn stop(&self) {
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*supervisor {
            task.abort();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop();
    }
}

fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "the `Broker` was closed by this program")
}

async fn supervise(transport: Arc<dyn Transport>, state: watch::Sender<State>) {
    let mut waits = pauses();
    loop {
        let pause = match attempt(&*transport).await {
            Ok(link) => {
                info!(broker = transport.address(), "connected");
                let closed = link.closed();
                if !advance(&state, State::Up(link)) {
                    return;
                }
                let reason = closed.await;
                warn!(broker = transport.address(), %reason, "connection lost; connecting again");
                if !advance(&state, State::Connecting(Some(reason))) {
                    return;
                }
                waits = pauses();
                continue;
            }
            Err(error) if error.is_permanent() => {
                warn!(broker = transport.address(), %error, "the broker refuses the connection");
                if !advance(&state, State::Refused(error)) {
                    return;
                }
                limits::PERMANENT_PAUSE
            }
            Err(error) => {
                warn!(broker = transport.address(), %error, "no connection yet");
                if !advance(&state, State::Connecting(Some(error))) {
                    return;
                }
                waits.next().unwrap_or(limits::LONGEST_PAUSE)
            }
        };
        sleep(pause).await;
    }
}

async fn attempt(transport: &dyn Transport) -> Result<Arc<dyn Link>, BrokerError> {
    match timeout(limits::CONNECT_ATTEMPT, transport.connect()).await {
        Ok(connected) => connected,
        Err(_) => Err(BrokerError::new(
            BrokerErrorKind::Unreachable,
            format!(
                "{} accepted the connection and said nothing for {:?}",
                transport.address(),
                limits::CONNECT_ATTEMPT
            ),
        )),
    }
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
