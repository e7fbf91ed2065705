//! The channel that all calls of a broker share, kept open over the connections that come and go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, warn};

use super::Session;
use crate::{
    client::in_flight::InFlight,
    connection::{Supervisor, pauses, runtime_ended},
    error::{BrokerError, BrokerErrorKind},
    limits,
    tasks::{Lasting, boxed},
    transport::{CallerChannel, CallerOptions},
};

/// An open channel, and its number: they are counted up, so that the calls of one that is lost are known.
#[derive(Clone)]
pub(crate) struct OpenCaller {
    pub(crate) number: u64,
    pub(crate) channel: Arc<dyn CallerChannel>,
}

impl OpenCaller {
    /// Waits until this channel, found dead by its user, is known to be dead by everybody.
    pub(crate) async fn wait_until_replaced(&self, session: &Session) {
        let mut states = session.callers.shared.state.subscribe();
        let number = self.number;
        // An error means that the broker is gone, which whoever asks it next finds out.
        let _ = states
            .wait_for(|state| !matches!(state, State::Open(open) if open.number == number))
            .await;
    }
}

#[derive(Clone)]
enum State {
    Opening,
    Open(OpenCaller),
    Refused(BrokerError),
}

pub(super) struct Callers {
    shared: Arc<Shared>,
    task: Lasting,
}

/// What the calls share with the task that keeps their channel open.
struct Shared {
    options: CallerOptions,
    in_flight: Arc<InFlight>,
    state: watch::Sender<State>,
    /// The number of the last channel.
    number: AtomicU64,
}

impl Callers {
    pub(super) fn new(options: CallerOptions, max_in_flight: usize) -> Self {
        let in_flight = InFlight::new(max_in_flight);
        let state = watch::Sender::new(State::Opening);
        let shared = Shared { options, in_flight, state, number: AtomicU64::new(0) };
        Self { shared: Arc::new(shared), task: Lasting::default() }
    }

    pub(super) fn options(&self) -> &CallerOptions {
        &self.shared.options
    }

    pub(super) fn in_flight(&self) -> &Arc<InFlight> {
        &self.shared.in_flight
    }

    /// The open channel, if there is one.
    pub(super) fn open_now(&self) -> Option<OpenCaller> {
        match &*self.shared.state.borrow() {
            State::Open(open) => Some(open.clone()),
            _ => None,
        }
    }

    /// The open channel, as soon as there is one. The first call opens it: a process that only serves needs none.
    pub(super) async fn open(&self, supervisor: &Supervisor) -> Result<OpenCaller, BrokerError> {
        if let Some(open) = self.open_now() {
            return Ok(open);
        }
        let mut states = self.shared.state.subscribe();
        loop {
            // Each time: the runtime that it was kept open on may have ended. What changes from here on is seen below.
            states.mark_unchanged();
            self.start(supervisor)?;
            match &*states.borrow() {
                State::Open(open) => return Ok(open.clone()),
                State::Refused(error) => return Err(error.clone()),
                State::Opening => {}
            }
            // The sender lives in `self`.
            let _ = states.changed().await;
        }
    }

    fn start(&self, supervisor: &Supervisor) -> Result<(), BrokerError> {
        let [dropped, woken] = [self.shared.clone(), self.shared.clone()];
        let task = || self.shared.clone().supervise(supervisor.clone());
        let dropped = move || dropped.lose(dropped.number.load(Ordering::SeqCst));
        let wake = move || woken.state.send_modify(|_| {});
        if self.task.start(task, dropped, wake) { Ok(()) } else { Err(runtime_ended()) }
    }
}

impl Shared {
    /// The callback queue is gone, and with it the calls of this channel and of those before it.
    fn lose(&self, channel: u64) {
        self.state.send_replace(State::Opening);
        self.in_flight.lose(channel);
    }

    async fn supervise(self: Arc<Self>, supervisor: Supervisor) {
        let mut waits = pauses();
        loop {
            let opened = match supervisor.connection().await {
                Ok(connection) => {
                    connection.open_caller(self.options.clone(), self.in_flight.clone()).await
                }
                Err(error) => Err(error),
            };
            let error = match opened {
                Ok(channel) => {
                    waits = pauses();
                    self.keep_open(channel).await
                }
                Err(error) => error,
            };
            if error.kind() == BrokerErrorKind::Closed {
                self.state.send_replace(State::Refused(error));
                return;
            }
            // What is missing may be declared at any moment, by a server that starts.
            let lasts = error.is_permanent() && error.kind() != BrokerErrorKind::NotFound;
            if error.is_permanent() {
                warn!(error = %error.whole(), "no calls can be made");
                self.state.send_replace(State::Refused(error));
            } else {
                debug!(error = %error.whole(), "the channel for calls could not be opened");
            }
            let pause = if lasts { None } else { waits.next() };
            sleep(pause.unwrap_or(limits::LONGEST_PAUSE)).await;
        }
    }

    /// Offers a channel, and another one each time the broker closes it for a request that it refuses or rejects requests
    /// on it, for as long as the callback queue is there.
    async fn keep_open(&self, mut channel: Arc<dyn CallerChannel>) -> BrokerError {
        let closed = channel.closed();
        tokio::pin!(closed);
        let mut retired = JoinSet::new();
        let mut pause = Duration::ZERO;
        loop {
            let opened = Instant::now();
            let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
            self.state.send_replace(State::Open(OpenCaller { number, channel: channel.clone() }));
            let reopened = tokio::select! {
                biased;
                reason = &mut closed => Err(reason),
                reason = channel.exhausted() => {
                    debug!(%reason, "the channel for calls is gone; opening another");
                    self.state.send_replace(State::Opening);
                    self.in_flight.lose_unaccepted(number);
                    pause = pause_after(opened.elapsed(), pause);
                    tokio::select! {
                        biased;
                        reason = &mut closed => Err(reason),
                        () = sleep(pause) => channel.reopen().await,
                    }
                }
                () = to_be_replaced(&*channel, &mut retired) => {
                    debug!("the broker rejects requests; opening another channel for calls");
                    let reopened = channel.reopen().await;
                    if reopened.is_ok() {
                        retired.spawn(boxed(retire(channel, number, self.in_flight.clone())));
                    }
                    reopened
                }
            };
            match reopened {
                Ok(another) => channel = another,
                Err(reason) => {
                    debug!(%reason, "the callback queue is gone");
                    self.lose(number);
                    return reason;
                }
            }
        }
    }
}

/// The pause before a channel takes the place of one that has lived so long, after a pause before that one. One that died
/// young is likely to be followed by others: a call that the broker closes the channel for may be sent again.
fn pause_after(lived: Duration, before: Duration) -> Duration {
    if lived > limits::STABLE_AFTER {
        return Duration::ZERO;
    }
    (before * 2).clamp(limits::FIRST_PAUSE, limits::YOUNG_PAUSE)
}

/// Waits until a channel should have another in its place, and may.
async fn to_be_replaced(channel: &dyn CallerChannel, retired: &mut JoinSet<()>) {
    let opened = Instant::now();
    channel.rejecting().await;
    sleep_until(opened + limits::REPLACE_AFTER).await;
    while retired.try_join_next().is_some() {}
    while retired.len() >= limits::RETIRED_CHANNELS {
        retired.join_next().await;
    }
}

/// Keeps a channel that was replaced until everything it sent is settled, or it is gone itself.
async fn retire(channel: Arc<dyn CallerChannel>, number: u64, in_flight: Arc<InFlight>) {
    let settled = async {
        while !in_flight.retire(number) {
            sleep(limits::RETIRED_LOOK).await;
        }
    };
    tokio::select! {
        () = settled => {}
        _ = channel.exhausted() => in_flight.lose_unaccepted(number),
    }
}

#[cfg(test)]
mod tests;
