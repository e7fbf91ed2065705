//! The task that replaces a lost connection by a new one.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tracing::{info, warn};

use super::{Patience, State, advance, alarms::AlarmLog, pauses};
use crate::{
    error::BrokerError,
    limits, observe,
    transport::{Connection, Transport},
};

/// Makes connections, one after another.
pub(super) struct Reconnects {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) max_attempts: Option<u32>,
    /// For the first connection; later ones are tried for as long as it takes.
    pub(super) patience: Option<Patience>,
    /// There was one.
    pub(super) connected: AtomicBool,
    pub(super) state: watch::Sender<State>,
}

impl Reconnects {
    pub(super) async fn run(self: Arc<Self>, mut first: Option<Arc<dyn Connection>>) {
        let Self { transport, max_attempts, patience, connected, state } = &*self;
        let began = Instant::now();
        let mut waits = pauses();
        let mut failures = 0;
        loop {
            // The time limits are only for the first connection.
            let patience = patience.filter(|_| !connected.load(Ordering::Relaxed));
            let started = Instant::now();
            let attempted = match first.take() {
                Some(connection) => Ok(connection),
                None => {
                    transport.connect(patience.and_then(|patience| patience.until(began))).await
                }
            };
            let error = match attempted {
                Ok(connection) => {
                    info!(broker = transport.address(), "connected");
                    if connected.swap(true, Ordering::Relaxed) {
                        observe::reconnected();
                    }
                    let since = Instant::now();
                    let reason = follow(state, &connection, &transport.address()).await;
                    warn!(
                        broker = transport.address(),
                        reason = %reason.whole(),
                        "connection lost; connecting again"
                    );
                    if !advance(state, State::Connecting) {
                        return;
                    }
                    failures = 0;
                    if since.elapsed() > limits::STABLE_AFTER {
                        waits = pauses();
                        continue;
                    }
                    // Do not hammer a broker that accepts connections and loses them at once.
                    sleep(waits.next().unwrap_or(limits::LONGEST_PAUSE)).await;
                    continue;
                }
                Err(error) => error,
            };
            // The error names the address, so the lines below do not.
            failures += 1;
            if max_attempts.is_some_and(|max| failures >= max) {
                warn!(error = %error.whole(), "no connection; giving up");
                advance(state, State::Refused(error));
                return;
            }
            if error.is_permanent() {
                warn!(error = %error.whole(), "the broker refuses the connection");
                if !advance(state, State::Refused(error)) {
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
                    advance(state, State::Refused(error));
                    return;
                };
                pause = shorter;
            }
            warn!(error = %error.whole(), "no connection yet; trying again");
            if !advance(state, State::Connecting) {
                return;
            }
            sleep(pause).await;
        }
    }
}

/// Publishes a connection and whether it accepts messages, until it ends. Returns the reason for the end.
async fn follow(
    state: &watch::Sender<State>,
    connection: &Arc<dyn Connection>,
    broker: &str,
) -> BrokerError {
    let (mut closed, mut alarms) = (connection.closed(), connection.blocked());
    let mut log = AlarmLog::default();
    loop {
        let blocked = alarms.borrow_and_update().reason();
        log.note(blocked.as_ref(), broker);
        // This has no effect if this program has closed the supervisor. Then the connection ends, too.
        advance(state, State::Up { connection: connection.clone(), blocked });
        let changed = async {
            if alarms.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        let line_due = async {
            match log.due() {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            reason = &mut closed => return reason,
            () = changed => {}
            () = line_due => {}
        }
    }
}
