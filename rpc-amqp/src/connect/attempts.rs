//! One error for the attempts at all places: a sentence for each, and those that failed alike together.

use std::net::SocketAddr;

use super::{
    error::{ConnectError, ConnectErrorKind},
    failure::{ACCESS_REFUSED, Failure},
    race::Failed,
};
use crate::{
    CloseReason,
    address::{Address, Login},
};

/// AMQP's reply code for a virtual host that may not be entered, and for a limit that is met.
const NOT_ALLOWED: u16 = 530;

/// No place could be connected to, for these reasons.
pub(super) fn nowhere(failed: Vec<Failed>, addresses: &[Address]) -> ConnectError {
    let hopeless = failed.iter().all(|failed| failed.failure.is_hopeless());
    let alike = gathered(failed);
    let of_address = |index| alike.iter().filter(|alike| alike.address == index).count();
    let named: Vec<String> = alike
        .iter()
        .filter_map(|Alike { address: index, places, .. }| {
            let address = addresses.get(*index)?;
            let host = address.host();
            // A name may lead to places that fail in different ways. Of one way, the address says enough.
            let several = of_address(*index) > 1;
            let places = places.iter().filter(|to| several && to.ip().to_string() != host);
            let places: Vec<String> = places.map(ToString::to_string).collect();
            Some(if places.is_empty() {
                address.to_string()
            } else {
                format!("{address} ({})", places.join(", "))
            })
        })
        .collect();
    let errors = alike.into_iter().zip(named).filter_map(|(alike, named)| {
        Some(connecting(alike.failure, addresses.get(alike.address)?, &named))
    });
    let mut errors: Vec<ConnectError> = errors.collect();
    let error = match errors.len() {
        0 => ConnectError::new(ConnectErrorKind::InvalidAddress, "there is no address"),
        1 => errors.remove(0),
        _ => several(&errors),
    };
    if hopeless { error.hopeless() } else { error }
}

/// Places of an address that failed in the same way, as both of `localhost` do.
struct Alike {
    address: usize,
    places: Vec<SocketAddr>,
    failure: Failure,
}

fn gathered(failed: Vec<Failed>) -> Vec<Alike> {
    let mut gathered: Vec<Alike> = Vec::new();
    for Failed { address, to, failure } in failed {
        let same = gathered
            .iter_mut()
            .find(|alike| alike.address == address && shown(&alike.failure) == shown(&failure));
        match same {
            Some(alike) => alike.places.extend(to),
            None => gathered.push(Alike { address, places: to.into_iter().collect(), failure }),
        }
    }
    gathered
}

/// As far as it is shown.
fn shown(failure: &Failure) -> String {
    match failure {
        Failure::Silent { reached, within } => format!("{reached} {within:.1?}"),
        failure => format!("{failure:?}"),
    }
}

/// One error for several places. A refusal by a broker counts most, as the others would refuse the same. An address that cannot be
/// the right one counts least.
fn several(errors: &[ConnectError]) -> ConnectError {
    let weight = |error: &&ConnectError| match error.kind() {
        ConnectErrorKind::InvalidAddress => 0,
        _ if error.is_permanent() => 2,
        _ => 1,
    };
    let kind =
        errors.iter().max_by_key(weight).map_or(ConnectErrorKind::Unreachable, ConnectError::kind);
    let said: Vec<String> = errors.iter().map(ConnectError::whole).collect();
    ConnectError::new(kind, format!("no address leads to a broker: {}", said.join("; ")))
}

/// An attempt to connect to an address failed, at a place.
fn connecting(failure: Failure, address: &Address, place: &str) -> ConnectError {
    let unreachable = |message| ConnectError::new(ConnectErrorKind::Unreachable, message);
    match failure {
        Failure::Refused(reason) => refused_login(&reason, address, place),
        Failure::Mechanisms(offered) => {
            let wanted = address.login().mechanism();
            let message =
                format!("{place} takes no login by {wanted}, but by one of these: {offered:?}");
            ConnectError::new(ConnectErrorKind::CredentialsRefused, message)
        }
        Failure::Unfit(what) => unreachable(format!("what answers at {place} {what}")),
        Failure::Insecure(error) => {
            unreachable(format!("there is no encrypted connection to {place}")).caused_by(error)
        }
        Failure::Plain => {
            let message = format!(
                "what answers at {place} does not speak TLS: it is probably the port without TLS, which is 5672 by default; \
                 write amqp:// for it, or the port with TLS, which is 5671 by default"
            );
            ConnectError::new(ConnectErrorKind::InvalidAddress, message)
        }
        Failure::Unresolved(error) => {
            unreachable(format!("the host of {place} is not found")).caused_by(error)
        }
        Failure::Silent { reached: true, within } => unreachable(format!(
            "{place} accepted the connection and did not answer within {within:.1?}"
        )),
        Failure::Silent { reached: false, within } => {
            unreachable(format!("{place} did not answer within {within:.1?}"))
        }
        Failure::Channels { allowed, needed } => {
            let message = format!(
                "the connection to {place} may have {allowed} channels, and at least {needed} are needed: raise \
                 `channel_max`, in the address or in the configuration of RabbitMQ"
            );
            ConnectError::new(ConnectErrorKind::TooFewChannels, message)
        }
        Failure::Lost(error) => {
            unreachable(format!("no broker answers at {place}")).caused_by(error)
        }
    }
}

fn refused_login(reason: &CloseReason, address: &Address, place: &str) -> ConnectError {
    let CloseReason { code, text } = reason;
    let (kind, message) = match *code {
        ACCESS_REFUSED if address.login() == Login::External => (
            ConnectErrorKind::CredentialsRefused,
            format!("{place} has no user for the certificate that it was shown: {text}"),
        ),
        ACCESS_REFUSED => (
            ConnectErrorKind::CredentialsRefused,
            format!(
                "{place} does not accept the password of the user {:?}, or does not know the user",
                address.user()
            ),
        ),
        NOT_ALLOWED if is_limit(text, address) => (
            ConnectErrorKind::LimitReached,
            format!("{place} takes no more connections for now: {text}"),
        ),
        NOT_ALLOWED => (
            ConnectErrorKind::VirtualHostRefused,
            format!(
                "{place} does not let the user {:?} into the virtual host {:?}: {text}{}",
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
            ConnectErrorKind::Unreachable,
            format!("{place} refused the connection: {code} {text}"),
        ),
    };
    ConnectError::new(kind, message)
}

/// Whether a refusal means that there are too many connections: to a virtual host, of a user or to a node. The names of the
/// first two stand in it, and may be anything.
fn is_limit(text: &str, address: &Address) -> bool {
    let without = |text: String, name: &str| match name {
        "" => text,
        name => text.replacen(name, "", 1),
    };
    let text = without(text.to_owned(), address.virtual_host());
    let text = without(text, address.user());
    text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "limit")
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text, Duration::from_secs(8), false).unwrap()
    }

    fn failed(address: usize, to: [u8; 4], failure: Failure) -> Failed {
        Failed { address, to: Some((to, 5672).into()), failure }
    }

    fn refused(code: u16, text: &str) -> Failure {
        Failure::Refused(CloseReason { code, text: text.into() })
    }

    #[test]
    fn a_limit_is_not_confused_with_names() {
        let (any, limit) = (address("amqp://ada@r/v"), address("amqp://limit@r/limit"));
        for (text, address, expected) in [
            (
                "NOT_ALLOWED - access to vhost 'v' refused for user 'ada': connection limit (1) is reached",
                &any,
                true,
            ),
            (
                "NOT_ALLOWED - connection refused for user 'ada': user connection limit (1) is reached",
                &any,
                true,
            ),
            ("NOT_ALLOWED - connection refused: node connection limit (1) is reached", &any, true),
            (
                "NOT_ALLOWED - access to vhost 'limit' refused for user 'limit': connection limit (0) is reached",
                &limit,
                true,
            ),
            ("NOT_ALLOWED - access to vhost 'limit' refused for user 'limit'", &limit, false),
            ("NOT_ALLOWED - vhost limit not found", &limit, false),
            ("NOT_ALLOWED - vhost unlimited not found", &address("amqp://r/unlimited"), false),
        ] {
            assert_eq!(is_limit(text, address), expected, "{text}");
        }
    }

    #[test]
    fn an_error_names_the_answer_of_each_address() {
        let addresses = [address("amqp://rabbit"), address("amqp://192.0.2.9")];
        let silent = Failure::Silent { reached: false, within: Duration::from_secs(2) };
        let lost = Failure::Lost(io::ErrorKind::ConnectionRefused.into());
        let error = nowhere(
            vec![
                failed(0, [192, 0, 2, 1], silent),
                failed(0, [192, 0, 2, 2], Failure::Plain),
                failed(1, [192, 0, 2, 9], lost),
            ],
            &addresses,
        );
        assert_eq!(error.kind(), ConnectErrorKind::Unreachable);
        assert!(!error.is_hopeless(), "one of them may answer yet");
        for said in [
            "rabbit:5672/%2f (192.0.2.1:5672) did not answer within 2.0s",
            "rabbit:5672/%2f (192.0.2.2:5672) does not speak TLS",
            "at amqp://192.0.2.9:5672/%2f: connection refused",
        ] {
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn places_that_fail_alike_are_one_failure() {
        let addresses = [address("amqp://localhost"), address("amqp://rabbit")];
        let lost = || Failure::Lost(io::ErrorKind::ConnectionRefused.into());
        let places = || {
            vec![
                Failed { address: 0, to: Some(([0; 16], 5672).into()), failure: lost() },
                failed(0, [127, 0, 0, 1], lost()),
            ]
        };
        let error = nowhere(places(), &addresses);
        assert_eq!(
            error.whole(),
            "no broker answers at amqp://localhost:5672/%2f: connection refused"
        );
        assert!(error.is_hopeless());
        let also = Failed { address: 1, to: None, failure: lost() };
        let error = nowhere(places().into_iter().chain([also]).collect(), &addresses);
        assert_eq!(
            error.whole(),
            "no address leads to a broker: no broker answers at amqp://localhost:5672/%2f: connection refused; \
             no broker answers at amqp://rabbit:5672/%2f: connection refused"
        );
    }

    #[test]
    fn a_refusal_counts_more_than_silence() {
        let addresses = [address("amqp://rabbit")];
        let silent = || Failure::Silent { reached: true, within: Duration::from_secs(2) };
        let credentials = || refused(ACCESS_REFUSED, "no");
        let limit = || refused(NOT_ALLOWED, "connection limit (1) is reached");
        for (failures, kind) in [
            (vec![silent(), credentials()], ConnectErrorKind::CredentialsRefused),
            (vec![limit(), credentials()], ConnectErrorKind::CredentialsRefused),
            (vec![Failure::Plain, silent()], ConnectErrorKind::Unreachable),
            (vec![Failure::Plain, Failure::Plain], ConnectErrorKind::InvalidAddress),
        ] {
            let failed = failures.into_iter().map(|failure| failed(0, [192, 0, 2, 1], failure));
            assert_eq!(nowhere(failed.collect(), &addresses).kind(), kind);
        }
        let error = nowhere(vec![failed(0, [192, 0, 2, 1], limit())], &addresses);
        assert_eq!(error.kind(), ConnectErrorKind::LimitReached);
        assert!(!error.is_permanent());
    }
}
