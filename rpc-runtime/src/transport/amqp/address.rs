//! Where a broker is. The text of an address holds a password, so it is never shown; this is what is shown instead.

use std::{fmt, str::FromStr, time::Duration};

use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};

use crate::error::{BrokerError, BrokerErrorKind};

/// RabbitMQ's own default, and the size that its documentation recommends. Unless it is set, the peer chooses how large
/// our buffers are.
pub(super) const FRAME_MAX: u32 = 131_072;

pub(super) struct Address {
    uri: AMQPUri,
}

impl Address {
    pub(super) fn parse(
        text: &str,
        heartbeat: Duration,
        external: bool,
    ) -> Result<Self, BrokerError> {
        let mut uri = AMQPUri::from_str(text).map_err(|_| invalid(text))?;
        if uri.scheme == AMQPScheme::AMQPS && cfg!(not(feature = "tls")) {
            let message = format!(
                "{} asks for TLS, which this build does not have: enable the feature `tls` of rpc-runtime",
                redacted(text)
            );
            return Err(BrokerError::new(BrokerErrorKind::TlsUnavailable, message));
        }
        if let Some(literal) = ipv6_literal(text) {
            // lapin reads it as localhost.
            literal.clone_into(&mut uri.authority.host);
        }
        if external {
            uri.query.auth_mechanism = Some(SASLMechanism::External);
        }
        uri.query.frame_max.get_or_insert(FRAME_MAX);
        let seconds = u16::try_from(heartbeat.as_secs()).unwrap_or(u16::MAX).max(1);
        uri.query.heartbeat.get_or_insert(seconds);
        Ok(Self { uri })
    }

    pub(super) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    pub(super) fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    pub(super) fn virtual_host(&self) -> &str {
        &self.uri.vhost
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = &self.uri.authority;
        let vhost = self.uri.vhost.replace('/', "%2f");
        if authority.host.contains(':') {
            write!(f, "{}://[{}]:{}/{vhost}", self.uri.scheme, authority.host, authority.port)
        } else {
            write!(f, "{}://{}:{}/{vhost}", self.uri.scheme, authority.host, authority.port)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn invalid(text: &str) -> BrokerError {
    let message = format!(
        "{:?} is not the address of a broker: it has the form amqp://user:password@host:5672/vhost, where the virtual host / is written %2f",
        redacted(text)
    );
    BrokerError::new(BrokerErrorKind::InvalidAddress, message)
}

/// The text without the user and the password.
fn redacted(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://…{}", &text[..scheme], &text[at..])
        }
        (None, Some(at)) => format!("…{}", &text[at..]),
        _ => text.to_owned(),
    }
}

fn ipv6_literal(text: &str) -> Option<&str> {
    let authority = text.split_once("://")?.1.split('/').next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.strip_prefix('[')?.split_once(']').map(|(literal, _)| literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, BrokerError> {
        Address::parse(text, Duration::from_secs(8), false)
    }

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let address = parse("amqp://ada:s3cret@rabbit.example:5673/%2f").unwrap();
        assert_eq!(address.to_string(), "amqp://rabbit.example:5673/%2f");
        assert!(!format!("{address:?}").contains("s3cret"));
    }

    #[test]
    fn an_error_in_an_address_shows_no_password() {
        for text in [
            "ada:s3cret@rabbit",
            "http://ada:s3cret@rabbit/",
            "amqp://ada:s3cret@rabbit:port/",
            "amqps://ada:s3cret@rabbit:0x/",
            "amqp://ada:s3@cret@rabbit:99999/",
        ] {
            let error = parse(text).map(drop).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("s3"), "{error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_is_refused_and_not_left_out_in_silence() {
        let error = parse("amqps://rabbit.example").map(drop).unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::TlsUnavailable);
    }

    #[test]
    fn an_ipv6_literal_is_kept() {
        let address = parse("amqp://guest:guest@[::1]:5672/%2f").unwrap();
        assert_eq!(address.uri.authority.host, "::1");
        assert_eq!(address.to_string(), "amqp://[::1]:5672/%2f");
    }
}
