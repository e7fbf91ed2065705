//! The errors of rpc-amqp, in the words of this crate.

use rpc_amqp::{CloseReason, ConnectError, ConnectErrorKind, Error};

use crate::error::{BrokerError, BrokerErrorKind};

pub(super) const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// There is no connection.
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
        // The message ends with the name of the feature.
        message.push_str(" of rpc-runtime");
    }
    let mut error = BrokerError::new(kind, message);
    if let Some(cause) = failed.cause() {
        error = error.caused_by(cause.clone());
    }
    if failed.is_hopeless() { error.hopeless() } else { error }
}

pub(super) fn gone(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

fn no_channel(most: u16) -> String {
    format!(
        "all {most} channels that this connection may have are in use; raise `channel_max`, in the address or in the \
         configuration of RabbitMQ, or use another `Broker`"
    )
}

/// Something that was asked of the broker failed. `what` names it.
pub(super) fn during(what: &str, why: Error) -> BrokerError {
    match why {
        Error::ChannelClosed(reason) | Error::ConnectionClosed(reason) => refused(what, &reason),
        Error::NoChannel(most) => BrokerError::new(
            BrokerErrorKind::Misuse,
            format!("{what} failed: {}", no_channel(most)),
        ),
        Error::Lost(error) => gone(&format!("{what} failed")).caused_by(error),
        _ => gone(&format!("{what} failed: it was closed by this program")),
    }
}

/// The broker refused something. `what` names it.
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

/// A channel or a connection that was in use ended.
pub(super) fn ended(why: Error) -> BrokerError {
    match why {
        Error::ChannelClosed(reason) | Error::ConnectionClosed(reason) => {
            gone(&format!("the broker closed it: {}", reason.text))
        }
        Error::NoChannel(most) => BrokerError::new(BrokerErrorKind::Misuse, no_channel(most)),
        Error::Lost(error) => gone("it was lost").caused_by(error),
        _ => gone("it was closed by this program"),
    }
}
