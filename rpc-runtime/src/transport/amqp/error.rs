//! What goes wrong, in the words of this crate.

use super::{
    address::{Address, Login},
    handshake::Failure,
    mux::Ended,
    wire::Refusal,
};
use crate::error::{BrokerError, BrokerErrorKind};

const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// An attempt to connect failed.
pub(super) fn connecting(failure: Failure, address: &Address) -> BrokerError {
    let unreachable = |message| BrokerError::new(BrokerErrorKind::Unreachable, message);
    match failure {
        Failure::Refused(refusal) => refused_login(&refusal, address),
        Failure::Mechanisms(offered) => {
            let wanted = address.login().mechanism();
            let message =
                format!("{address} takes no login by {wanted}, but by one of these: {offered:?}");
            BrokerError::new(BrokerErrorKind::CredentialsRefused, message)
        }
        Failure::Unfit(what) => unreachable(format!("what answers at {address} {what}")),
        Failure::Insecure(error) => {
            unreachable(format!("there is no encrypted connection to {address}")).caused_by(error)
        }
        Failure::Lost(error) => {
            unreachable(format!("no broker answers at {address}")).caused_by(error)
        }
    }
}

fn refused_login(refusal: &Refusal, address: &Address) -> BrokerError {
    let Refusal { code, text } = refusal;
    let (kind, message) = match *code {
        ACCESS_REFUSED if address.login() == Login::External => (
            BrokerErrorKind::CredentialsRefused,
            format!("{address} has no user for the certificate that it was shown: {text}"),
        ),
        ACCESS_REFUSED => (
            BrokerErrorKind::CredentialsRefused,
            format!(
                "{address} does not accept the password of the user {:?}, or does not know the user",
                address.user()
            ),
        ),
        NOT_ALLOWED => (
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
        _ => (
            BrokerErrorKind::Unreachable,
            format!("{address} refused the connection: {code} {text}"),
        ),
    };
    BrokerError::new(kind, message)
}

pub(super) fn gone(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, message)
}

/// Something that was asked of the broker failed: `what` says what it was.
pub(super) fn during(what: &str, why: Ended) -> BrokerError {
    match why {
        Ended::Refused(refusal) | Ended::Dismissed(refusal) => refused(what, &refusal),
        Ended::Closed => gone(&format!("{what} failed: it was closed by this program")),
        Ended::Lost(error) => gone(&format!("{what} failed")).caused_by(error),
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

/// A channel or a connection that was in use ended.
pub(super) fn ended(why: Ended) -> BrokerError {
    match why {
        Ended::Refused(refusal) | Ended::Dismissed(refusal) => {
            gone(&format!("the broker closed it: {}", refusal.text))
        }
        Ended::Closed => gone("it was closed by this program"),
        Ended::Lost(error) => gone("it was lost").caused_by(error),
    }
}
