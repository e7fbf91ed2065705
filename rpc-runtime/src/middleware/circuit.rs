//! One circuit: closed, open, or tried again.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    BoxError, Reply,
    answering::{Ended, Watch},
    failure::is_elapsed,
};
use crate::{
    error::CallError,
    fault::{Fault, FaultKind},
    lock::lock,
    observe,
};

#[derive(Debug)]
pub(super) struct Circuit {
    failures: u32,
    pause: Duration,
    /// What it is counted under.
    service: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many failures in a row.
    Closed(u32),
    Open(Instant),
    /// One call was let through, and has not ended.
    Tried,
}

impl State {
    fn is_open(self) -> bool {
        !matches!(self, Self::Closed(_))
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        let was_open = lock(&self.state).is_open();
        if was_open {
            observe::circuit_closed(self.service);
        }
    }
}

/// What the end of a call says of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Answers,
    Fails,
    Unknown,
}

/// A call that was let through.
#[derive(Debug)]
pub struct Attempt {
    circuit: Arc<Circuit>,
    /// The one that the others wait for.
    trial: bool,
    deadline: Option<Instant>,
    ended: bool,
}

impl Circuit {
    pub(super) fn new(failures: u32, pause: Duration, service: &'static str) -> Self {
        Self { failures, pause, service, state: Mutex::new(State::Closed(0)) }
    }

    /// Lets a call through, or says how long it is to wait.
    pub(super) fn enter(
        self: &Arc<Self>,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Attempt, Duration> {
        let mut state = lock(&self.state);
        let trial = match *state {
            State::Closed(_) => false,
            State::Open(until) if now < until => return Err(until - now),
            State::Open(_) => true,
            State::Tried => return Err(Duration::ZERO),
        };
        if trial {
            *state = State::Tried;
        }
        drop(state);
        Ok(Attempt { circuit: self.clone(), trial, deadline, ended: false })
    }

    fn note(&self, trial: bool, sign: Sign, now: Instant) {
        let mut state = lock(&self.state);
        let was_open = state.is_open();
        *state = match (*state, sign) {
            (State::Closed(_), Sign::Answers) => State::Closed(0),
            (State::Closed(failed), Sign::Fails) if failed + 1 < self.failures => {
                State::Closed(failed + 1)
            }
            (State::Closed(_), Sign::Fails) => State::Open(now + self.pause),
            (State::Tried, Sign::Answers) if trial => State::Closed(0),
            (State::Tried, Sign::Fails) if trial => State::Open(now + self.pause),
            // The next call tries again.
            (State::Tried, Sign::Unknown) if trial => State::Open(now),
            // What was sent before the circuit opened says nothing new.
            (other, _) => other,
        };
        let is_open = state.is_open();
        // Whoever records it is code of the program.
        drop(state);
        match (was_open, is_open) {
            (false, true) => observe::circuit_opened(self.service),
            (true, false) => observe::circuit_closed(self.service),
            _ => {}
        }
    }
}

impl Watch for Attempt {
    fn ended(mut self, ended: &Ended) {
        self.ended = true;
        self.circuit.note(self.trial, sign(ended), Instant::now());
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            let now = Instant::now();
            // Whether the deadline or its caller ended it is all that is known.
            let late = self.deadline.is_some_and(|deadline| deadline <= now);
            self.circuit.note(self.trial, if late { Sign::Fails } else { Sign::Unknown }, now);
        }
    }
}

fn sign(ended: &Ended) -> Sign {
    match ended {
        Ok(Reply::Fault(fault)) => of_fault(fault),
        Ok(_) => Sign::Answers,
        Err(error) => of_error(error),
    }
}

fn of_fault(fault: &Fault) -> Sign {
    match fault.kind() {
        FaultKind::Overloaded | FaultKind::Expired => Sign::Fails,
        // Another server may be there.
        FaultKind::ShuttingDown => Sign::Unknown,
        _ => Sign::Answers,
    }
}

fn of_error(error: &BoxError) -> Sign {
    match error.downcast_ref::<CallError<Infallible>>() {
        Some(CallError::NoServer | CallError::DeadlineExceeded { may_have_run: true }) => {
            Sign::Fails
        }
        Some(CallError::Refused(fault)) => of_fault(fault),
        Some(CallError::Decode(_)) => Sign::Answers,
        None if is_elapsed(error) => Sign::Fails,
        _ => Sign::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn circuit() -> Arc<Circuit> {
        Arc::new(Circuit::new(2, PAUSE, "Service"))
    }

    fn ends(circuit: &Arc<Circuit>, now: Instant, sign: Sign) {
        let mut attempt = circuit.enter(now, None).unwrap();
        attempt.ended = true;
        circuit.note(attempt.trial, sign, now);
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_in_between_does_not() {
        let (circuit, now) = (circuit(), Instant::now());
        for sign in [Sign::Fails, Sign::Answers, Sign::Fails, Sign::Unknown] {
            ends(&circuit, now, sign);
        }
        assert!(circuit.enter(now, None).is_ok());
        ends(&circuit, now, Sign::Fails);
        assert_eq!(circuit.enter(now, None).unwrap_err(), PAUSE);
    }

    #[test]
    fn after_the_pause_one_call_tries_and_the_others_wait_for_it() {
        for (sign, then) in [(Sign::Answers, None), (Sign::Fails, Some(PAUSE))] {
            let (circuit, now) = (circuit(), Instant::now());
            ends(&circuit, now, Sign::Fails);
            ends(&circuit, now, Sign::Fails);
            let now = now + PAUSE;
            let mut trial = circuit.enter(now, None).unwrap();
            assert_eq!(circuit.enter(now, None).unwrap_err(), Duration::ZERO);
            trial.ended = true;
            circuit.note(trial.trial, sign, now);
            assert_eq!(circuit.enter(now, None).err(), then);
        }
    }

    #[test]
    fn a_call_that_was_sent_before_it_opened_does_not_close_it() {
        let (circuit, now) = (circuit(), Instant::now());
        let mut early = circuit.enter(now, None).unwrap();
        ends(&circuit, now, Sign::Fails);
        ends(&circuit, now, Sign::Fails);
        let _trial = circuit.enter(now + PAUSE, None).unwrap();
        early.ended = true;
        circuit.note(early.trial, Sign::Answers, now);
        assert_eq!(circuit.enter(now + PAUSE, None).unwrap_err(), Duration::ZERO);
    }

    #[test]
    fn a_trial_that_is_dropped_lets_another_try_and_one_that_is_late_has_failed() {
        for (left, waits) in [(Some(Duration::from_secs(60)), false), (Some(Duration::ZERO), true)]
        {
            let (circuit, now) = (circuit(), Instant::now());
            ends(&circuit, now, Sign::Fails);
            ends(&circuit, now, Sign::Fails);
            let deadline = left.map(|left| now + left);
            drop(circuit.enter(now + PAUSE, deadline).unwrap());
            assert_eq!(circuit.enter(Instant::now(), None).is_err(), waits);
        }
    }
}
