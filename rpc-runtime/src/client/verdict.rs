//! What follows from what became of a sending: the call ends, or it is sent again. And what it ends with, over all of its
//! sendings.
//!
//! Nothing here waits or sends: `exchange.rs` does what is decided here.

use std::time::Duration;

use bytes::Bytes;
use tracing::debug;

use super::{in_flight::Outcome, session::RetryBudget};
use crate::{
    codec::{DecodeError, Encoding},
    connection::NotReady,
    error::{BrokerError, BrokerErrorKind, CallError},
    fault::{Fault, FaultKind},
    reply::Reply,
    wire::ReceivedReply,
};

/// What follows.
#[derive(Debug)]
pub(super) enum Verdict {
    End(Result<Reply, CallError>),
    /// It is sent again at once.
    Again(Why),
    /// It is sent again after a pause, if it may be; or else it ends.
    AgainLater {
        reason: &'static str,
        or: Box<Result<Reply, CallError>>,
    },
}

/// Why a call is sent again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The broker never looked at the sending.
    Ignored,
    ConnectionLost,
}

/// What counts of a call and its sendings so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending<'a> {
    pub(super) queue: &'a str,
    pub(super) encoding: Encoding,
    pub(super) idempotent: bool,
    /// A request of this call may be in a queue, or with a server.
    pub(super) handed_over: bool,
}

#[derive(Debug)]
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    /// The method may have run for this sending, whatever comes of the next.
    pub(super) left_behind: bool,
}

/// Decides what follows. Only what is idempotent is sent again if it may have run.
pub(super) fn decide(outcome: Outcome, sending: &Sending<'_>) -> Decision {
    let mut left_behind = false;
    let verdict = match outcome {
        // Also where it may have run before: only an idempotent call is then sent again.
        Outcome::Reply(ReceivedReply::Fault(fault)) if fault.kind().is_retryable() => {
            left_behind = fault.may_have_run();
            let reason = fault.kind().as_str();
            Verdict::AgainLater { reason, or: Box::new(Ok(Reply::Fault(fault))) }
        }
        Outcome::Reply(reply) => Verdict::End(answered(reply, sending.encoding)),
        Outcome::Accepted => Verdict::End(Ok(nothing())),
        Outcome::Unroutable => Verdict::End(Err(CallError::NoServer)),
        Outcome::Rejected => {
            let or = Box::new(Err(queue_full(sending.queue)));
            Verdict::AgainLater { reason: "the queue would not take it", or }
        }
        Outcome::Refused(error) => Verdict::End(Err(refused(*error))),
        Outcome::Ignored => Verdict::Again(Why::Ignored),
        Outcome::Lost if sending.idempotent => {
            left_behind = true;
            Verdict::Again(Why::ConnectionLost)
        }
        Outcome::Lost => Verdict::End(Err(CallError::ConnectionLost { may_have_run: true })),
        Outcome::Interrupted => {
            left_behind = true;
            // It may be this very request that the broker takes offence at: so it is not sent again for nothing.
            let or = Box::new(Err(CallError::ConnectionLost { may_have_run: true }));
            Verdict::AgainLater { reason: "the broker closed the channel", or }
        }
        Outcome::Expired => {
            let may_have_run = sending.handed_over;
            Verdict::End(Err(CallError::DeadlineExceeded { may_have_run }))
        }
    };
    Decision { verdict, left_behind }
}

/// Whether a request that was refused for want of room is sent again after a pause, which takes a retry from the budget.
/// To be refused now is worth more than to be cut off in the middle of the pause.
pub(super) fn is_worth_a_pause(pause: Duration, left: Duration, budget: &RetryBudget) -> bool {
    pause < left && budget.spend()
}

/// How a call ends that cannot be sent now.
pub(super) fn not_ready(reason: NotReady, handed_over: bool) -> CallError {
    match reason {
        NotReady::Down => CallError::ConnectionLost { may_have_run: handed_over },
        NotReady::Blocked(reason) if !handed_over => broker_full(&reason),
        NotReady::Blocked(_) => CallError::ConnectionLost { may_have_run: true },
        NotReady::Never(error) => refused(error),
    }
}

/// What a call ends with whose last sending ended like this, and whether its method may have run. An earlier sending that
/// was left behind may have.
pub(super) fn conclude(
    ended: Result<Reply, CallError>,
    left_behind: bool,
) -> (Result<Reply, CallError>, bool) {
    match (may_have_run(&ended), left_behind) {
        (true, _) => (ended, true),
        (false, true) => (after_a_loss(ended), true),
        (false, false) => (ended, false),
    }
}

fn may_have_run(ended: &Result<Reply, CallError>) -> bool {
    match ended {
        Ok(Reply::Fault(fault)) => fault.may_have_run(),
        Ok(_) => true,
        Err(error) => error.may_have_run(),
    }
}

/// How a call ends whose last sending did not run, where an earlier one may have.
fn after_a_loss(ended: Result<Reply, CallError>) -> Result<Reply, CallError> {
    match ended {
        Ok(Reply::Fault(fault)) => Ok(Reply::Fault(fault.ran(true))),
        Err(CallError::Refused(fault)) => Err(CallError::Refused(fault.ran(true))),
        Err(CallError::DeadlineExceeded { .. }) => {
            Err(CallError::DeadlineExceeded { may_have_run: true })
        }
        Err(error) => {
            debug!(%error, "a request was sent again in vain; the first sending may have run");
            Err(CallError::ConnectionLost { may_have_run: true })
        }
        Ok(reply) => Ok(reply),
    }
}

/// A reply that does not name its encoding has that of the request.
fn answered(reply: ReceivedReply, asked_in: Encoding) -> Result<Reply, CallError> {
    Ok(match reply {
        ReceivedReply::Result { body, encoding } => {
            Reply::Result { body, encoding: encoding.unwrap_or(asked_in) }
        }
        ReceivedReply::Error { body, encoding } => {
            Reply::Error { body, encoding: encoding.unwrap_or(asked_in) }
        }
        ReceivedReply::Fault(fault) => Reply::Fault(fault),
        ReceivedReply::Unreadable(reason) => {
            return Err(CallError::Decode(DecodeError::because(reason)));
        }
    })
}

/// What a one-way request ends with: the encoding of `()`.
fn nothing() -> Reply {
    Reply::Result { body: Bytes::new(), encoding: Encoding::Bincode }
}

/// What an error of the broker means for a call.
fn refused(error: BrokerError) -> CallError {
    match error.kind() {
        // The exchange is declared by the servers, like their queues.
        BrokerErrorKind::NotFound => CallError::NoServer,
        _ => CallError::Broker(error),
    }
}

fn broker_full(reason: &str) -> CallError {
    let message = format!("the broker takes no messages: {reason}");
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}

fn queue_full(queue: &str) -> CallError {
    // RabbitMQ does not say which.
    let message = format!(
        "the queue {queue:?} would not take the request; it is full, or has no leader just now"
    );
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end, in short.
    fn ended(ended: Result<Reply, CallError>) -> String {
        match ended {
            Ok(Reply::Result { encoding, .. }) => format!("a result in {encoding}"),
            Ok(Reply::Error { encoding, .. }) => format!("an error in {encoding}"),
            Ok(Reply::Fault(fault)) => format!("the fault {}", fault.kind().as_str()),
            Err(CallError::NoServer) => "no server".to_owned(),
            Err(CallError::DeadlineExceeded { may_have_run }) => format!("expired {may_have_run}"),
            Err(CallError::ConnectionLost { may_have_run }) => format!("lost {may_have_run}"),
            Err(CallError::Refused(fault)) => format!("refused as {}", fault.kind().as_str()),
            Err(CallError::Decode(_)) => "unreadable".to_owned(),
            Err(CallError::Broker(error)) => format!("the broker: {:?}", error.kind()),
            Err(error) => error.to_string(),
        }
    }

    /// What follows, in short: of a call that is idempotent or not.
    fn follows(outcome: Outcome, idempotent: bool) -> String {
        let (encoding, handed_over) = (Encoding::Json, true);
        let sending = Sending { queue: "q", encoding, idempotent, handed_over };
        let Decision { verdict, left_behind } = decide(outcome, &sending);
        let mut said = match verdict {
            Verdict::End(how) => ended(how),
            Verdict::Again(why) => format!("again, {why:?}"),
            Verdict::AgainLater { or, .. } => format!("again later, or {}", ended(*or)),
        };
        if left_behind {
            said.push_str("; it may have run");
        }
        said
    }

    fn fault(kind: FaultKind) -> Outcome {
        Outcome::Reply(ReceivedReply::Fault(Fault::new(kind, "")))
    }

    fn refusal(kind: BrokerErrorKind) -> Outcome {
        Outcome::Refused(Box::new(BrokerError::new(kind, "")))
    }

    #[test]
    fn each_outcome_has_one_consequence() {
        let body = Bytes::new;
        let result = |encoding| Outcome::Reply(ReceivedReply::Result { body: body(), encoding });
        let error = |encoding| Outcome::Reply(ReceivedReply::Error { body: body(), encoding });
        for (outcome, expected) in [
            (result(None), "a result in JSON"),
            (result(Some(Encoding::Bincode)), "a result in bincode"),
            (error(None), "an error in JSON"),
            (fault(FaultKind::Panicked), "the fault panicked"),
            (fault(FaultKind::Overloaded), "again later, or the fault overloaded"),
            (Outcome::Reply(ReceivedReply::Unreadable(String::new())), "unreadable"),
            (Outcome::Accepted, "a result in bincode"),
            (Outcome::Unroutable, "no server"),
            (Outcome::Rejected, "again later, or refused as overloaded"),
            (refusal(BrokerErrorKind::NotFound), "no server"),
            (refusal(BrokerErrorKind::NotPermitted), "the broker: NotPermitted"),
            (Outcome::Ignored, "again, Ignored"),
            (Outcome::Lost, "lost true"),
            (Outcome::Interrupted, "again later, or lost true; it may have run"),
            (Outcome::Expired, "expired true"),
        ] {
            let shown = format!("{outcome:?}");
            assert_eq!(follows(outcome, false), expected, "{shown}");
        }
    }

    #[test]
    fn a_lost_call_is_sent_again_if_idempotent() {
        assert_eq!(follows(Outcome::Lost, true), "again, ConnectionLost; it may have run");
    }

    #[test]
    fn a_fault_after_a_run_is_remembered() {
        let ran = Fault::new(FaultKind::Overloaded, "").ran(true);
        let outcome = Outcome::Reply(ReceivedReply::Fault(ran));
        assert_eq!(follows(outcome, true), "again later, or the fault overloaded; it may have run");
    }

    #[test]
    fn what_was_not_handed_over_cannot_have_run() {
        let (encoding, idempotent, handed_over) = (Encoding::Json, false, false);
        let sending = Sending { queue: "q", encoding, idempotent, handed_over };
        let verdict = decide(Outcome::Expired, &sending).verdict;
        let Verdict::End(Err(CallError::DeadlineExceeded { may_have_run })) = verdict else {
            panic!("{verdict:?}")
        };
        assert!(!may_have_run);
    }

    #[test]
    fn a_lost_sending_may_have_run_whatever_follows() {
        let fault = |kind, ran| Ok(Reply::Fault(Fault::new(kind, "").ran(ran)));
        let refused = || CallError::Refused(Fault::new(FaultKind::Overloaded, ""));
        for (last, alone, after_a_loss) in [
            (Ok(nothing()), ("a result in bincode", true), "a result in bincode"),
            (fault(FaultKind::Panicked, true), ("the fault panicked", true), "the fault panicked"),
            (fault(FaultKind::Expired, false), ("the fault expired", false), "the fault expired"),
            (Err(refused()), ("refused as overloaded", false), "refused as overloaded"),
            (
                Err(CallError::DeadlineExceeded { may_have_run: false }),
                ("expired false", false),
                "expired true",
            ),
            (Err(CallError::NoServer), ("no server", false), "lost true"),
            (
                Err(CallError::ConnectionLost { may_have_run: false }),
                ("lost false", false),
                "lost true",
            ),
            (
                Err(CallError::ConnectionLost { may_have_run: true }),
                ("lost true", true),
                "lost true",
            ),
        ] {
            let (end, ran) = conclude(clone(&last), false);
            assert_eq!((ended(end).as_str(), ran), alone);
            let (end, ran) = conclude(last, true);
            assert!(ran && may_have_run(&end), "{end:?}");
            assert_eq!(ended(end), after_a_loss);
        }
    }

    /// Errors are not cloned outside of tests.
    fn clone(ended: &Result<Reply, CallError>) -> Result<Reply, CallError> {
        match ended {
            Ok(Reply::Fault(fault)) => Ok(Reply::Fault(fault.clone())),
            Ok(_) => Ok(nothing()),
            Err(CallError::Refused(fault)) => Err(CallError::Refused(fault.clone())),
            Err(CallError::DeadlineExceeded { may_have_run }) => {
                Err(CallError::DeadlineExceeded { may_have_run: *may_have_run })
            }
            Err(CallError::ConnectionLost { may_have_run }) => {
                Err(CallError::ConnectionLost { may_have_run: *may_have_run })
            }
            Err(_) => Err(CallError::NoServer),
        }
    }

    #[test]
    fn a_call_that_cannot_be_sent_says_why() {
        let error = |kind| NotReady::Never(BrokerError::new(kind, ""));
        for (reason, handed_over, expected) in [
            (NotReady::Down, false, "lost false"),
            (NotReady::Down, true, "lost true"),
            (NotReady::Blocked("low on memory".into()), false, "refused as overloaded"),
            (NotReady::Blocked("low on memory".into()), true, "lost true"),
            (error(BrokerErrorKind::NotFound), false, "no server"),
            (error(BrokerErrorKind::NotPermitted), false, "the broker: NotPermitted"),
        ] {
            let shown = format!("{reason:?}, {handed_over}");
            assert_eq!(ended(Err(not_ready(reason, handed_over))), expected, "{shown}");
        }
    }

    #[test]
    fn a_pause_has_to_end_in_time_and_costs_a_retry() {
        let (short, long) = (Duration::from_millis(50), Duration::from_millis(51));
        let budget = RetryBudget::default();
        assert!(is_worth_a_pause(short, long, &budget));
        assert!(!is_worth_a_pause(short, short, &budget), "it would end with the deadline");
        assert!(!is_worth_a_pause(short, Duration::ZERO, &budget));
        let granted = (0..100).filter(|_| is_worth_a_pause(short, long, &budget)).count();
        assert_eq!(granted, 9, "what is too late costs nothing, and the budget ends");
    }
}
