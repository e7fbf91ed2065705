//! The sentences that `CallError` and `CallFailure` share.

use std::{fmt, time::Duration};

use super::{BrokerErrorKind, TooLarge};
use crate::{
    escape::Escaped,
    fault::{Fault, FaultKind},
};

pub(super) const PANICKED: &str = "the method panicked in the server; it may have run in part: the server's standard error has the reason";
pub(super) const NOT_WRITTEN: &str =
    "the arguments or a header cannot be written, and nothing was sent";
pub(super) const UNREADABLE: &str = "the reply cannot be read";
pub(super) const SAME_TRAIT: &str = "are client and server built from the same trait?";
pub(super) const CHANGE_EARLIER: &str = "change a call before it is awaited";
pub(super) const LAYER: &str = "a layer of this client ended the call";

pub(super) fn ran(may_have_run: bool) -> &'static str {
    if may_have_run { "it may have run" } else { "it did not run" }
}

/// `shown` is the fault, or only its kind.
pub(super) fn refused(shown: impl fmt::Display, fault: &Fault) -> String {
    let ran = ran(fault.may_have_run());
    match remedy(fault) {
        "" => format!("refused as {shown}; {ran}"),
        remedy => format!("refused as {shown}; {ran}: {remedy}"),
    }
}

/// The kind of a fault, even if this version does not know it.
pub(super) fn word(fault: &Fault) -> impl fmt::Display {
    // The same length limit as in the sentence of the fault.
    Escaped::new(fault.word()).at_most(64)
}

fn remedy(fault: &Fault) -> &'static str {
    match fault.kind() {
        FaultKind::Overloaded | FaultKind::ShuttingDown | FaultKind::Expired
            if fault.may_have_run() =>
        {
            "find out before calling again"
        }
        FaultKind::OutcomeUnknown => "find out before calling again",
        FaultKind::Overloaded => "call again later, or start more servers",
        FaultKind::ShuttingDown => "call again",
        FaultKind::Expired => "call again with more time",
        FaultKind::UnknownMethod => "is the server older than this client?",
        FaultKind::Incompatible | FaultKind::BadArguments => SAME_TRAIT,
        FaultKind::UnsupportedEncoding => "use an encoding that the server reads",
        FaultKind::TooLarge if fault.may_have_run() => "ask for less",
        FaultKind::TooLarge => "send less, or raise `max_request` of the server",
        // The server's message has the reason.
        FaultKind::NotPermitted if !fault.message().is_empty() => "",
        FaultKind::NotPermitted => "the server decides who may call it",
        FaultKind::UnencodableReply | FaultKind::Internal => "the server's log has the reason",
        FaultKind::Unrecognized => "is the server newer than this client?",
        FaultKind::MalformedRequest | FaultKind::Panicked => "",
    }
}

pub(super) fn too_large(TooLarge { size, limit }: TooLarge) -> String {
    format!(
        "the request has {size} bytes, and this client sends {limit} at most; nothing was sent: send less, or raise `max_request`"
    )
}

/// The text for each kind of broker error.
pub(super) fn broker(kind: BrokerErrorKind) -> &'static str {
    match kind {
        BrokerErrorKind::InvalidAddress => "the address of the broker is not valid",
        BrokerErrorKind::TlsUnavailable => "this program is built without TLS",
        BrokerErrorKind::Unreachable => "the broker cannot be reached",
        BrokerErrorKind::CredentialsRefused => "the broker does not accept the login",
        BrokerErrorKind::VirtualHostRefused => {
            "the broker does not let this user into the virtual host"
        }
        BrokerErrorKind::NotPermitted => "the broker does not permit this user to make calls",
        BrokerErrorKind::NotFound => "the broker lacks a queue or an exchange for calls",
        BrokerErrorKind::DeclaredDifferently => {
            "the broker has a queue or an exchange for calls with other properties"
        }
        BrokerErrorKind::LimitReached => "the broker takes no more connections for now",
        BrokerErrorKind::Misuse => "the call needs something that the broker does not allow",
        BrokerErrorKind::ConnectionLost => "the connection to the broker was lost",
        BrokerErrorKind::Closed => "this program closed its `Broker` before the call",
    }
}

pub(super) fn changed(what: &str) -> String {
    format!("`{what}` came after the call had been polled")
}

/// A duration for humans: `10 s`, `1.5 s`, `200 ms`.
pub(super) fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => "1 ms".to_owned(),
        // Durations that round to a second are shown in seconds.
        1_000..999_500 => format!("{} ms", (micros + 500) / 1_000),
        _ => {
            let tenths = (micros + 50_000) / 100_000;
            match (tenths / 10, tenths % 10) {
                (seconds, 0) => format!("{seconds} s"),
                (seconds, tenths) => format!("{seconds}.{tenths} s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (given, shown) in [
            (Duration::ZERO, "1 ms"),
            (Duration::from_micros(200_400), "200 ms"),
            (Duration::from_micros(999_600), "1 s"),
            (Duration::from_millis(1_500), "1.5 s"),
            (Duration::from_millis(9_999), "10 s"),
            (Duration::from_secs(3_600), "3600 s"),
        ] {
            assert_eq!(time(given), shown);
        }
    }
}
