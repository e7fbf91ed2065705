//! What lapin says, in the words of this crate.

use lapin::{Error, ErrorKind};

use super::address::Address;
use crate::error::{BrokerError, BrokerErrorKind};

const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// The code and the text of an error that the broker sent.
pub(super) fn refusal(error: &Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => {
            Some((refusal.get_id(), refusal.get_message().to_string()))
        }
        _ => None,
    }
}

/// An attempt to connect failed.
pub(super) fn connecting(error: Error, address: &Address) -> BrokerError {
    let (kind, message) = match refusal(&error) {
        Some((ACCESS_REFUSED, _)) => (
            BrokerErrorKind::CredentialsRefused,
            format!(
                "{address} does not accept the password of the user {:?}, or does not know the user",
                address.user()
            ),
        ),
        Some((NOT_ALLOWED, text)) => (
            BrokerErrorKind::VirtualHostRefused,
            format!(
                "{address} does not let the user {:?} into the virtual host {:?}: {text}{}",
                address.user(),
                address.virtual_host(),
                match address.virtual_host() {
                    "" =>
                        "; the address ends with a slash, which names a virtual host without a name: leave the slash out, or write %2f for /",
                    _ => "",
                }
            ),
        ),
        Some((code, text)) => (
            BrokerErrorKind::Unreachable,
            format!("{address} refused the connection: {code} {text}"),
        ),
        None => (BrokerErrorKind::Unreachable, format!("no broker answers at {address}")),
    };
    BrokerError::new(kind, message).caused_by(error)
}

/// A connection or a channel that was in use ended.
pub(super) fn lost(error: &Error) -> BrokerError {
    let message = match refusal(error) {
        Some((_, text)) => format!("the broker closed it: {text}"),
        None => format!("it was lost: {error}"),
    };
    BrokerError::new(BrokerErrorKind::ConnectionLost, message).caused_by(error.clone())
}

pub(super) fn gone(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

/// Something that was asked of the broker failed: `what` says what it was.
pub(super) fn during(what: &str, error: Error) -> BrokerError {
    let (kind, message) = match refusal(&error) {
        Some((ACCESS_REFUSED, text)) => (BrokerErrorKind::NotPermitted, text),
        Some((NOT_FOUND, text)) => (BrokerErrorKind::NotFound, text),
        Some((PRECONDITION_FAILED, text)) => (BrokerErrorKind::DeclaredDifferently, text),
        Some((RESOURCE_LOCKED | NOT_ALLOWED, text)) => (BrokerErrorKind::Misuse, text),
        Some((_, text)) => (BrokerErrorKind::ConnectionLost, text),
        None => (BrokerErrorKind::ConnectionLost, error.to_string()),
    };
    BrokerError::new(kind, format!("{what}: {message}")).caused_by(error)
}
