//! Converts errors of rpc-amqp to errors of this crate.

use rpc_amqp::{CloseReason, ConnectError, ConnectErrorKind, Error};

use crate::error::{BrokerError, BrokerErrorKind};

pub(super) const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// No connection could be made.
pub(super) fn connecting(failed: &ConnectError) -> BrokerError {
    let kind = match failed.kind() {
        ConnectErrorKind::InvalidAddress => BrokerErrorKind::InvalidAddress,
        ConnectErrorKind::TlsUnavailable => BrokerErrorKind::TlsUnavailable,
        ConnectErrorKind::CredentialsRefused => BrokerErrorKind::CredentialsRefused,
        ConnectErrorKind::VirtualHostRefused => BrokerErrorKind::VirtualHostRefused,
        ConnectErrorKind::LimitReached => BrokerErrorKind::LimitReached,
        ConnectErrorKind::TooFewChannels => BrokerErrorKind::Misuse,
        _ => BrokerErrorKind::Unreachable,
    };
    let mut message = failed.to_string();
    if kind == BrokerErrorKind::TlsUnavailable {
        // The message ends with the name of a feature, which users enable in this crate.
        message.push_str(" of rpc-runtime");
    }
    let mut error = BrokerError::new(kind, message);
    if let Some(cause) = failed.cause() {
        error = error.caused_by(cause.clone());
    }
    if failed.is_hopeless() { error.hopeless() } else { error }
}

pub(super) fn connection_lost(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

fn no_channel(max: u16) -> String {
    format!(
        "all {max} channels that this connection may have are in use; raise `channel_max`, in the address or in the \
         configuration of RabbitMQ, or use another `Broker`"
    )
}

/// An operation failed. `what` names it.
pub(super) fn during(what: &str, why: Error) -> BrokerError {
    match why {
        Error::ChannelClosed(reason) | Error::ConnectionClosed(reason) => refused(what, &reason),
        Error::NoChannel(max) => {
            BrokerError::new(BrokerErrorKind::Misuse, format!("{what} failed: {}", no_channel(max)))
        }
        Error::Lost(error) => connection_lost(&format!("{what} failed")).caused_by(error),
        _ => connection_lost(&format!("{what} failed: it was closed by this program")),
    }
}

/// The broker refused an operation. `what` names it.
pub(super) fn refused(what: &str, reason: &CloseReason) -> BrokerError {
    let kind = match reason.code {
        ACCESS_REFUSED => BrokerErrorKind::NotPermitted,
        NOT_FOUND => BrokerErrorKind::NotFound,
        PRECONDITION_FAILED => BrokerErrorKind::DeclaredDifferently,
        RESOURCE_LOCKED | NOT_ALLOWED => BrokerErrorKind::Misuse,
        _ => BrokerErrorKind::ConnectionLost,
    };
    BrokerError::new(kind, format!("{what}: {}", reason.text))
}

/// A channel or a connection ended.
pub(super) fn ended(why: Error) -> BrokerError {
    match why {
        Error::ChannelClosed(reason) | Error::ConnectionClosed(reason) => {
            connection_lost(&format!("the broker closed it: {}", reason.text))
        }
        Error::NoChannel(max) => BrokerError::new(BrokerErrorKind::Misuse, no_channel(max)),
        Error::Lost(error) => connection_lost("it was lost").caused_by(error),
        _ => connection_lost("it was closed by this program"),
    }
}
