//! A connection that is kept up: each one that is lost is followed by a new one.

use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tracing::{info, warn};

use super::BrokerStatus;
use crate::{
    error::{BrokerError, BrokerErrorKind},
    escape::Escaped,
    limits, observe, tasks,
    transport::{Link, Transport},
};

/// The pauses between attempts: doubling, with jitter, without end.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(limits::FIRST_PAUSE)
        // The jitter adds up to as much again.
        .with_max_delay(limits::LONGEST_PAUSE / 2)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Cheap to clone; the last clone takes the connection with it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Supervised>);

struct Supervised {
    transport: Arc<dyn Transport>,
    max_attempts: Option<u32>,
    state: watch::Sender<State>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone)]
pub(super) enum State {
    /// Nobody has needed it yet, or an attempt is under way; the error is that of the last one.
    Connecting(Option<BrokerError>),
    Up {
        link: Arc<dyn Link>,
        /// Why the broker takes no messages, if so.
        blocked: Option<Arc<str>>,
    },
    /// The broker refused us, or as many attempts failed as were allowed.
    Refused(BrokerError),
    Closed,
}

impl State {
    pub(super) fn status(&self) -> BrokerStatus {
        match self {
            Self::Connecting(_) => BrokerStatus::Connecting,
            Self::Up { blocked: None, .. } => BrokerStatus::Connected,
            Self::Up { blocked: Some(reason), .. } => BrokerStatus::Blocked(reason.clone()),
            Self::Refused(error) => BrokerStatus::Refused(error.clone()),
            Self::Closed => BrokerStatus::Closed,
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

/// What calls do while the connection is down, or takes no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unavailable {
    /// They wait for it, until their deadline.
    #[default]
    Wait,
    /// They end at once: with [`CallError::ConnectionLost`](crate::CallError) where there is no connection, refused as
    /// `overloaded` where the broker takes no messages. Both say that the request was not sent.
    Fail,
}

/// Why a call cannot be sent now.
#[derive(Debug)]
pub(crate) enum NotReady {
    /// There is no connection.
    Down,
    /// The broker takes no messages.
    Blocked(Arc<str>),
    /// There is none, and waiting is pointless.
    Never(BrokerError),
}

impl Connection {
    pub(super) fn new(transport: Arc<dyn Transport>, max_attempts: Option<u32>) -> Self {
        Self::in_state(State::Connecting(None), transport, max_attempts)
    }

    /// One that is up already.
    pub(super) fn up(transport: Arc<dyn Transport>, link: Arc<dyn Link>) -> Self {
        Self::in_state(State::Up { link, blocked: None }, transport, None)
    }

    fn in_state(state: State, transport: Arc<dyn Transport>, max_attempts: Option<u32>) -> Self {
        Self(Arc::new(Supervised {
            transport,
            max_attempts,
            state: watch::Sender::new(state),
            supervisor: Mutex::new(None),
        }))
    }

    /// Follows it from now on, and not only once somebody needs it.
    #[cfg(feature = "testing")]
    pub(super) fn start(&self) {
        self.0.start();
    }

    pub(super) fn address(&self) -> String {
        self.0.transport.address()
    }

    pub(super) fn states(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }

    /// Whether the broker takes messages at this moment.
    pub(super) fn is_ready(&self) -> bool {
        matches!(*self.0.state.borrow(), State::Up { blocked: None, .. })
    }

    /// Returns when the broker takes messages; what `unavailable` says decides whether that is waited for.
    pub(super) async fn ready(&self, unavailable: Unavailable) -> Result<(), NotReady> {
        self.0.start();
        let mut states = self.states();
        loop {
            let not_ready = match &*states.borrow_and_update() {
                State::Up { blocked: None, .. } => return Ok(()),
                State::Up { blocked: Some(reason), .. } => NotReady::Blocked(reason.clone()),
                State::Connecting(_) => NotReady::Down,
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

    /// Resolves when a call that does not wait has to end.
    pub(super) async fn not_ready(&self) -> NotReady {
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
    pub(crate) async fn link(&self) -> Result<Arc<dyn Link>, BrokerError> {
        self.0.start();
        let mut states = self.0.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                State::Up { link, .. } => return Ok(link.clone()),
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
        if let State::Up { link, .. } = before {
            link.close().await;
        }
    }
}

impl Supervised {
    fn start(&self) {
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if supervisor.is_none() {
            let first = match &*self.state.borrow() {
                State::Up { link, .. } => Some(link.clone()),
                _ => None,
            };
            let supervise =
                supervise(self.transport.clone(), first, self.max_attempts, self.state.clone());
            *supervisor = Some(tasks::spawn(supervise));
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

async fn supervise(
    transport: Arc<dyn Transport>,
    mut first: Option<Arc<dyn Link>>,
    max_attempts: Option<u32>,
    state: watch::Sender<State>,
) {
    let mut waits = pauses();
    let (mut failures, mut before) = (0, false);
    loop {
        let attempted = match first.take() {
            Some(link) => Ok(link),
            None => attempt(&*transport).await,
        };
        let pause = match attempted {
            Ok(link) => {
                info!(broker = transport.address(), "connected");
                if std::mem::replace(&mut before, true) {
                    observe::reconnected();
                }
                let connected = Instant::now();
                let reason = follow(&state, &link, &transport.address()).await;
                warn!(broker = transport.address(), %reason, "connection lost; connecting again");
                if !advance(&state, State::Connecting(Some(reason))) {
                    return;
                }
                failures = 0;
                if connected.elapsed() > limits::STABLE_AFTER {
                    waits = pauses();
                    continue;
                }
                // A broker that takes every connection and loses it again is not to be hammered.
                sleep(waits.next().unwrap_or(limits::LONGEST_PAUSE)).await;
                continue;
            }
            Err(error) if max_attempts.is_some_and(|most| failures + 1 >= most) => {
                warn!(broker = transport.address(), %error, "no connection; giving up");
                advance(&state, State::Refused(error));
                return;
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
        failures += 1;
        sleep(pause).await;
    }
}

/// Announces a connection and whether it takes messages, until it is gone.
async fn follow(state: &watch::Sender<State>, link: &Arc<dyn Link>, broker: &str) -> BrokerError {
    let (mut closed, mut alarms) = (link.closed(), link.blocked());
    let mut before = None;
    loop {
        let blocked = alarms.borrow_and_update().reason();
        match (&before, &blocked) {
            (None, Some(reason)) => {
                let reason = Escaped::new(reason);
                warn!(broker, %reason, "the broker takes no messages for now");
            }
            (Some(_), None) => info!(broker, "the broker takes messages again"),
            _ => {}
        }
        before.clone_from(&blocked);
        // Where the connection was closed in the meantime, its link ends, too.
        advance(state, State::Up { link: link.clone(), blocked });
        let changed = async {
            if alarms.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            reason = &mut closed => return reason,
            () = changed => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        for _ in 0..100 {
            let taken: Vec<Duration> = pauses().take(20).collect();
            assert!(taken.iter().all(|pause| *pause >= limits::FIRST_PAUSE));
            assert!(taken.iter().all(|pause| *pause <= limits::LONGEST_PAUSE));
            assert!(taken.iter().skip(10).all(|pause| *pause >= limits::LONGEST_PAUSE / 2));
        }
    }
}
