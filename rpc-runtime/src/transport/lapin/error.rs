//! lapin's errors as errors of rpc-amqp and of this crate.

use std::{io, sync::Arc};

use lapin::{
    ErrorKind,
    protocol::{AMQPError, AMQPErrorKind},
};
use rpc_amqp::{CloseReason, Error};

use crate::{
    error::{BrokerError, BrokerErrorKind},
    limits,
};

const ACCESS_REFUSED: u16 = 403;
const NOT_ALLOWED: u16 = 530;

/// Why a channel or a connection ended, or a method failed.
pub(super) fn ended(error: &lapin::Error) -> Error {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => match refusal.kind() {
            AMQPErrorKind::Soft(_) => Error::ChannelClosed(reason(refusal)),
            AMQPErrorKind::Hard(_) => Error::ConnectionClosed(reason(refusal)),
        },
        ErrorKind::IOError(error) | ErrorKind::RuntimeShutdownError(error) => {
            Error::Lost(error.clone())
        }
        ErrorKind::MissingHeartbeatError => lost(io::ErrorKind::TimedOut, error.to_string()),
        _ => lost(io::ErrorKind::NotConnected, error.to_string()),
    }
}

pub(super) fn lost(kind: io::ErrorKind, message: impl Into<String>) -> Error {
    Error::Lost(Arc::new(io::Error::new(kind, message.into())))
}

/// Whether an error contains the event on the wire. Other errors only report that a channel or a connection cannot be used
/// any more.
pub(super) fn names_the_cause(error: &lapin::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::InvalidChannel(_)
            | ErrorKind::InvalidChannelState(..)
            | ErrorKind::InvalidConnectionState(_)
    )
}

fn reason(refusal: &AMQPError) -> CloseReason {
    CloseReason { code: refusal.get_id(), text: refusal.get_message().as_str().into() }
}

/// The error if the program's function makes no connection.
pub(super) fn connecting(error: &lapin::Error) -> BrokerError {
    let failed = |kind, why: &str| BrokerError::new(kind, format!("lapin did not connect: {why}"));
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => {
            let text = refusal.get_message().as_str();
            let kind = match refusal.get_id() {
                ACCESS_REFUSED => BrokerErrorKind::CredentialsRefused,
                NOT_ALLOWED if text.contains("limit") => BrokerErrorKind::LimitReached,
                NOT_ALLOWED => BrokerErrorKind::VirtualHostRefused,
                _ => BrokerErrorKind::Unreachable,
            };
            failed(kind, text)
        }
        ErrorKind::IOError(cause) if may_quote_an_address(&cause.to_string()) => {
            failed(BrokerErrorKind::InvalidAddress, "its address is not one of a broker")
        }
        ErrorKind::IOError(cause) => {
            let error = failed(BrokerErrorKind::Unreachable, "no broker answers");
            let hopeless = cause.kind() == io::ErrorKind::ConnectionRefused;
            let error = error.caused_by(cause.clone());
            if hopeless { error.hopeless() } else { error }
        }
        ErrorKind::InvalidProtocolVersion(_) | ErrorKind::ParsingError(_) => {
            failed(BrokerErrorKind::Unreachable, "what answers is no AMQP broker").hopeless()
        }
        ErrorKind::AuthProviderError(_) => {
            // This text is another library's, and may quote credentials.
            failed(BrokerErrorKind::Unreachable, "there are no credentials to log in with")
        }
        _ => failed(BrokerErrorKind::Unreachable, &error.to_string()),
    }
}

/// Whether a text may contain an address with its password: lapin quotes addresses that it cannot parse.
fn may_quote_an_address(text: &str) -> bool {
    text.contains("URL") || text.contains('@')
}

/// Fails if the connection may not have as many channels as calls need.
pub(super) fn enough_channels(most: u16) -> Result<(), BrokerError> {
    let fewest = limits::FEWEST_CHANNELS;
    if most >= fewest {
        return Ok(());
    }
    Err(BrokerError::misuse(format!(
        "the connection may have {most} channels, and calls need {fewest}: raise `channel_max`"
    )))
}

#[cfg(test)]
mod tests {
    use lapin::protocol::{AMQPHardError, AMQPSoftError};

    use super::*;

    fn protocol(kind: AMQPErrorKind, text: &str) -> lapin::Error {
        ErrorKind::ProtocolError(AMQPError::new(kind, text.into())).into()
    }

    #[test]
    fn a_refusal_closes_what_it_names() {
        let refused = protocol(AMQPSoftError::NOTFOUND.into(), "NOT_FOUND - no queue 'q'");
        let Error::ChannelClosed(reason) = ended(&refused) else { panic!("{refused}") };
        assert_eq!((reason.code, &*reason.text), (404, "NOT_FOUND - no queue 'q'"));
        let forced = protocol(AMQPHardError::CONNECTIONFORCED.into(), "CONNECTION_FORCED");
        assert!(matches!(ended(&forced), Error::ConnectionClosed(reason) if reason.code == 320));
    }

    #[test]
    fn failed_connections_have_their_kind() {
        let limit = "NOT_ALLOWED - access to vhost '/' refused for user 'guest': connection limit (0) is reached";
        for (kind, text, expected) in [
            (AMQPSoftError::ACCESSREFUSED.into(), "no", BrokerErrorKind::CredentialsRefused),
            (AMQPHardError::NOTALLOWED.into(), "no", BrokerErrorKind::VirtualHostRefused),
            (AMQPHardError::NOTALLOWED.into(), limit, BrokerErrorKind::LimitReached),
            (AMQPHardError::INTERNALERROR.into(), "no", BrokerErrorKind::Unreachable),
        ] {
            assert_eq!(connecting(&protocol(kind, text)).kind(), expected, "{text}");
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(connecting(&refused.into()).is_hopeless());
    }

    #[test]
    fn no_error_shows_an_address() {
        for address in ["amqp:guest:s3cret@host", "amqp:s3cret"] {
            let parsed = io::Error::other(format!("Invalid URL: '{address}'"));
            let error = connecting(&parsed.into());
            assert!(!error.whole().to_string().contains("s3cret"), "{error:?}");
        }
    }
}
