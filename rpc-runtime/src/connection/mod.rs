//! A connection that is kept up: each one that is lost is followed by a new one. It knows no calls and no services.

mod access;
mod alarms;
mod status;

use std::{
    fmt,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tracing::{info, warn};

pub(crate) use self::access::Access;
use self::alarms::AlarmLog;
pub use self::status::{BrokerStatus, StatusChanges};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    limits, observe,
    tasks::Lasting,
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
    /// For the first connection; later ones are tried for as long as it takes.
    patience: Option<Patience>,
    /// There was one.
    connected: Arc<AtomicBool>,
    state: watch::Sender<State>,
    supervisor: Lasting,
}

/// How long a first connection is tried for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// At most.
    pub(crate) within: Duration,
    /// Where nobody will ever answer, unless somebody starts a broker.
    pub(crate) hopeless: Duration,
}

#[derive(Clone)]
pub(crate) enum State {
    /// Nobody has needed it yet, or an attempt is under way.
    Connecting,
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
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        max_attempts: Option<u32>,
        patience: Option<Patience>,
    ) -> Self {
        Self::in_state(State::Connecting, transport, max_attempts, patience)
    }

    /// One that is up already.
    pub(crate) fn up(transport: Arc<dyn Transport>, link: Arc<dyn Link>) -> Self {
        Self::in_state(State::Up { link, blocked: None }, transport, None, None)
    }

    fn in_state(
        state: State,
        transport: Arc<dyn Transport>,
        max_attempts: Option<u32>,
        patience: Option<Patience>,
    ) -> Self {
        Self(Arc::new(Supervised {
            transport,
            max_attempts,
            patience,
            connected: Arc::default(),
            state: watch::Sender::new(state),
            supervisor: Lasting::default(),
        }))
    }

    /// Follows it from now on, and not only once somebody needs it.
    #[cfg(feature = "testing")]
    pub(crate) fn start(&self) {
        // A runtime that takes no tasks any more waits for no connection.
        let _ = self.0.start();
    }

    /// The same broker for another user, where that can be had.
    pub(crate) fn for_user(&self, user: &str) -> Option<Self> {
        let (transport, link) = self.0.transport.for_user(user)?;
        Some(match link {
            Some(link) => Self::up(transport, link),
            None => Self::new(transport, None, None),
        })
    }

    pub(crate) fn address(&self) -> String {
        self.0.transport.address()
    }

    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }

    /// Whether this program has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.0.state.borrow(), State::Closed)
    }

    /// Whether the broker takes messages at this moment.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.0.state.borrow(), State::Up { blocked: None, .. })
    }

    /// Returns when the broker takes messages; what `unavailable` says decides whether that is waited for.
    pub(crate) async fn ready(&self, unavailable: Unavailable) -> Result<(), NotReady> {
        let mut states = self.states();
        loop {
            // Each time: the runtime that it was followed on may have ended. What changes from here on is seen below.
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

    /// Resolves when a call that does not wait has to end.
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
    pub(crate) async fn link(&self) -> Result<Arc<dyn Link>, BrokerError> {
        let mut states = self.0.state.subscribe();
        loop {
            states.mark_unchanged();
            self.0.start()?;
            match &*states.borrow() {
                State::Up { link, .. } => return Ok(link.clone()),
                State::Refused(error) => return Err(error.clone()),
                State::Closed => return Err(closed()),
                State::Connecting => {}
            }
            if states.changed().await.is_err() {
                return Err(closed());
            }
        }
    }

    /// The first connection, if there is one in time.
    pub(crate) async fn first_link(&self) -> Result<(), BrokerError> {
        // It is followed on this runtime, and gives up by itself.
        self.link().await.map(drop)
    }

    pub(crate) async fn close(&self) {
        let before = self.0.state.send_replace(State::Closed);
        self.0.supervisor.stop();
        if let State::Up { link, .. } = before {
            link.close().await;
        }
    }
}

impl Supervised {
    fn start(&self) -> Result<(), BrokerError> {
        if matches!(*self.state.borrow(), State::Closed) {
            return Ok(());
        }
        let task = || {
            let first = match &*self.state.borrow() {
                State::Up { link, .. } => Some(link.clone()),
                _ => None,
            };
            let supervisor = Supervisor {
                transport: self.transport.clone(),
                max_attempts: self.max_attempts,
                patience: self.patience,
                connected: self.connected.clone(),
                state: self.state.clone(),
            };
            supervisor.run(first)
        };
        let (state, changed) = (self.state.clone(), self.state.clone());
        let lost = self.transport.needs_its_runtime();
        let dropped = move || {
            if lost {
                advance(&state, State::Connecting);
            }
        };
        let wake = move || {
            if lost {
                changed.send_modify(|_| {});
            }
        };
        if self.supervisor.start(task, dropped, wake) { Ok(()) } else { Err(runtime_ended()) }
    }
}

/// The runtime that a connection was made on, or is to be made on, is no more.
pub(crate) fn runtime_ended() -> BrokerError {
    let message = "the tokio runtime that the connection was made on has ended";
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "the `Broker` was closed by this program")
}

/// Makes connections, one after another.
struct Supervisor {
    transport: Arc<dyn Transport>,
    max_attempts: Option<u32>,
    patience: Option<Patience>,
    connected: Arc<AtomicBool>,
    state: watch::Sender<State>,
}

impl Supervisor {
    async fn run(self, mut first: Option<Arc<dyn Link>>) {
        let Self { transport, max_attempts, patience, connected, state } = self;
        let began = Instant::now();
        let mut waits = pauses();
        let mut failures = 0;
        loop {
            // What bounds the first connection bounds no later one.
            let patience = patience.filter(|_| !connected.load(Ordering::Relaxed));
            let started = Instant::now();
            let attempted = match first.take() {
                Some(link) => Ok(link),
                None => {
                    transport.connect(patience.and_then(|patience| patience.until(began))).await
                }
            };
            let error = match attempted {
                Ok(link) => {
                    info!(broker = transport.address(), "connected");
                    if connected.swap(true, Ordering::Relaxed) {
                        observe::reconnected();
                    }
                    let since = Instant::now();
                    let reason = follow(&state, &link, &transport.address()).await;
                    warn!(
                        broker = transport.address(),
                        reason = %reason.whole(),
                        "connection lost; connecting again"
                    );
                    if !advance(&state, State::Connecting) {
                        return;
                    }
                    failures = 0;
                    if since.elapsed() > limits::STABLE_AFTER {
                        waits = pauses();
                        continue;
                    }
                    // A broker that takes every connection and loses it again is not to be hammered.
                    sleep(waits.next().unwrap_or(limits::LONGEST_PAUSE)).await;
                    continue;
                }
                Err(error) => error,
            };
            // The error names the address.
            failures += 1;
            if max_attempts.is_some_and(|most| failures >= most) {
                warn!(error = %error.whole(), "no connection; giving up");
                advance(&state, State::Refused(error));
                return;
            }
            if error.is_permanent() {
                warn!(error = %error.whole(), "the broker refuses the connection");
                if !advance(&state, State::Refused(error)) {
                    return;
                }
                sleep(limits::PERMANENT_PAUSE).await;
                continue;
            }
            let mut pause = waits.next().unwrap_or(limits::LONGEST_PAUSE);
            if let Some(patience) = patience {
                let hopeless = error.is_hopeless().then(|| started.elapsed());
                let shorter = patience.pause(began.elapsed(), hopeless, pause);
                let Some(shorter) = shorter else {
                    let error = patience.exhausted(error);
                    warn!(error = %error.whole(), "no connection; giving up");
                    advance(&state, State::Refused(error));
                    return;
                };
                pause = shorter;
            }
            warn!(error = %error.whole(), "no connection yet; trying again");
            if !advance(&state, State::Connecting) {
                return;
            }
            sleep(pause).await;
        }
    }
}

impl Patience {
    /// When the first connection is given up; `None` where the time is too long for a clock.
    fn until(self, began: Instant) -> Option<Instant> {
        began.checked_add(self.within)
    }

    /// How long to wait for the next attempt, where the last one failed; `None` where it was the last. The very last begins
    /// shortly before the end. `hopeless` is how long the attempt took if it showed that nobody will ever answer: the next
    /// one will take as long.
    fn pause(
        self,
        passed: Duration,
        hopeless: Option<Duration>,
        pause: Duration,
    ) -> Option<Duration> {
        let most = hopeless.map_or(self.within, |_| self.hopeless.min(self.within));
        let last = limits::LAST_ATTEMPT.max(hopeless.unwrap_or_default());
        let left = most.saturating_sub(last).checked_sub(passed)?;
        (!left.is_zero()).then(|| pause.min(left))
    }

    /// The reason why there is no connection, with what can be done.
    fn exhausted(self, error: BrokerError) -> BrokerError {
        if error.is_hopeless() && self.hopeless < self.within {
            return error.remedy(
                "if the broker may still be starting, have it waited for with `BrokerBuilder::wait_for_broker`",
            );
        }
        error
    }
}

/// Announces a connection and whether it takes messages, until it is gone.
async fn follow(state: &watch::Sender<State>, link: &Arc<dyn Link>, broker: &str) -> BrokerError {
    let (mut closed, mut alarms) = (link.closed(), link.blocked());
    let mut log = AlarmLog::default();
    loop {
        let blocked = alarms.borrow_and_update().reason();
        log.note(blocked.as_ref(), broker);
        // Where the connection was closed in the meantime, its link ends, too.
        advance(state, State::Up { link: link.clone(), blocked });
        let changed = async {
            if alarms.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        let to_be_written = async {
            match log.due() {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            reason = &mut closed => return reason,
            () = changed => {}
            () = to_be_written => {}
        }
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

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_first_connection_is_tried_until_its_time_is_over() {
        let patience = Patience { within: millis(30_000), hopeless: millis(3_000) };
        let second = millis(1_000);
        assert_eq!(patience.pause(millis(0), Some(millis(1)), second), Some(second));
        assert_eq!(patience.pause(millis(2_500), Some(millis(1)), second), Some(millis(400)));
        assert_eq!(patience.pause(millis(2_900), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), Some(millis(1)), second), None);
        assert_eq!(patience.pause(millis(10_000), None, second), Some(second));
        assert_eq!(patience.pause(millis(29_950), None, second), None);
        // Attempts that take a second leave room for two.
        assert_eq!(patience.pause(millis(1_000), Some(second), second), Some(second));
        assert_eq!(patience.pause(millis(2_100), Some(second), second), None);
        let short = Patience { within: millis(400), hopeless: millis(3_000) };
        assert_eq!(short.pause(millis(100), Some(millis(1)), second), Some(millis(200)));
        assert_eq!(short.pause(millis(300), Some(millis(1)), second), None);
    }

    #[test]
    fn any_time_to_connect_can_be_asked_for() {
        let patience = Patience { within: Duration::MAX, hopeless: Duration::MAX };
        assert_eq!(patience.until(Instant::now()), None);
        assert_eq!(
            patience.pause(millis(10_000), Some(millis(1)), millis(1_000)),
            Some(millis(1_000))
        );
    }

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
