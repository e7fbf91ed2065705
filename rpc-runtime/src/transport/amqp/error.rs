//! What lapin says, in the words of this crate.

use lapin::{Error, ErrorKind};

use super::{address::Address, mux::Ended, wire::Refusal};
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

/// Attaches what caused an error, unless that is the broker's own words, which are said already.
fn because(said: BrokerError, cause: Error) -> BrokerError {
    match cause.kind() {
        ErrorKind::ProtocolError(_) => said,
        ErrorKind::IOError(error) => said.caused_by(error.clone()),
        _ => said.caused_by(cause),
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
    because(BrokerError::new(kind, message), error)
}

/// A connection or a channel that was in use ended.
pub(super) fn lost(error: &Error) -> BrokerError {
    let message = match refusal(error) {
        Some((_, text)) => format!("the broker closed it: {text}"),
        None => "it was lost".to_owned(),
    };
    because(BrokerError::new(BrokerErrorKind::ConnectionLost, message), error.clone())
}

pub(super) fn gone(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

/// Something that was asked of the broker failed: `what` says what it was.
pub(super) fn during(what: &str, error: Error) -> BrokerError {
    match refusal(&error) {
        Some((code, text)) => refused(what, &Refusal { code, text: text.into() }),
        None => because(
            BrokerError::new(BrokerErrorKind::ConnectionLost, format!("{what} failed")),
            error,
        ),
    }
}

/// The broker refused something: `what` says what it was.
pub(super) fn refused(what: &str, refusal: &Refusal) -> BrokerError {
    let kind = match refusal.code {
        ACCESS_REFUSED => BrokerErrorKind::NotPermitted,
        NOT_FOUND => BrokerErrorKind::NotFound,
        PRECONDITION_FAILED => BrokerErrorKind::DeclaredDifferently,
        RESOURCE_LOCKED | NOT_ALLOWED => BrokerErrorKind::Misuse,
        _ => BrokerErrorKind::ConnectionLost,
    };
    BrokerError::new(kind, format!("{what}: {}", refusal.text))
}

/// A channel that was in use ended.
pub(super) fn ended(why: &Ended) -> BrokerError {
    match why {
        Ended::Refused(refusal) => gone(&format!("the broker closed it: {}", refusal.text)),
        Ended::Closed => gone("it was closed"),
        Ended::Lost => gone("the connection was lost"),
    }
}
