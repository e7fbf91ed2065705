//! What follows from what became of a sending: the call ends, or it is sent again.

use bytes::Bytes;

use super::in_flight::Outcome;
use crate::{
    codec::{DecodeError, Encoding},
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
pub(super) fn refused(error: BrokerError) -> CallError {
    match error.kind() {
        // The exchange is declared by the servers, like their queues.
        BrokerErrorKind::NotFound => CallError::NoServer,
        _ => CallError::Broker(error),
    }
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

    /// What follows, in short: of a call that is idempotent or not.
    fn follows(outcome: Outcome, idempotent: bool) -> String {
        let (encoding, handed_over) = (Encoding::Json, true);
        let sending = Sending { queue: "q", encoding, idempotent, handed_over };
        let Decision { verdict, left_behind } = decide(outcome, &sending);
        let ended = |ended: Result<Reply, CallError>| match ended {
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
        };
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
}
