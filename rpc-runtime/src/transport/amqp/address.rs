//! Where a broker is. The text of an address holds a password, so it is never shown; this is what is shown instead.

use std::{fmt, time::Duration};

use percent_encoding::percent_decode_str;

use super::wire::Tuning;
use crate::{
    envelope::MAX_SHORT_STRING,
    error::{BrokerError, BrokerErrorKind},
};

/// RabbitMQ's own default, and the size that its documentation recommends. Unless it is set, the peer chooses how large
/// our buffers are.
const FRAME_MAX: u32 = 131_072;

/// RabbitMQ 4.1 takes no connection with smaller frames.
const FRAME_MIN: u32 = 8192;

/// More a broker does not count.
const CHANNEL_MAX: u16 = u16::MAX;

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Password,
    /// By the certificate that the connection was made with.
    External,
}

impl Login {
    /// What SASL calls it.
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Self::Password => "PLAIN",
            Self::External => "EXTERNAL",
        }
    }
}

pub(super) struct Address {
    encrypted: bool,
    host: String,
    port: u16,
    user: String,
    password: String,
    virtual_host: String,
    login: Login,
    /// What we would like.
    tuning: Tuning,
}

impl Address {
    pub(super) fn parse(
        text: &str,
        heartbeat: Duration,
        external: bool,
    ) -> Result<Self, BrokerError> {
        // As it is read from a file, say.
        let text = text.trim();
        let mut address = read(text).map_err(|why| invalid(text, why))?;
        if address.encrypted && cfg!(not(feature = "tls")) {
            let message = format!(
                "{} asks for TLS, which this build does not have: enable the feature `tls` of rpc-runtime",
                redacted(text)
            );
            return Err(BrokerError::new(BrokerErrorKind::TlsUnavailable, message));
        }
        if external {
            address.login = Login::External;
        }
        if parameter(text, "heartbeat").is_none() {
            let seconds = u16::try_from(heartbeat.as_secs()).unwrap_or(u16::MAX).max(1);
            address.tuning.heartbeat = seconds;
        }
        Ok(address)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn virtual_host(&self) -> &str {
        &self.virtual_host
    }

    pub(super) fn login(&self) -> Login {
        self.login
    }

    /// What the broker is shown. It holds the password.
    pub(super) fn response(&self) -> Vec<u8> {
        match self.login {
            Login::Password => format!("\0{}\0{}", self.user, self.password).into_bytes(),
            Login::External => Vec::new(),
        }
    }

    pub(super) fn tuning(&self) -> Tuning {
        self.tuning
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "amqps" } else { "amqp" };
        let vhost = self.virtual_host.replace('/', "%2f");
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}/{vhost}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}/{vhost}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What stands before the query and the fragment, and the query.
fn split(text: &str) -> (&str, &str) {
    let text = text.split('#').next().unwrap_or_default();
    text.split_once('?').unwrap_or((text, ""))
}

fn parameter<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = split(text).1.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

fn number<T: std::str::FromStr>(text: &str, name: &str, otherwise: T) -> Result<T, &'static str> {
    let value = parameter(text, name).map(str::parse).transpose();
    Ok(value.map_err(|_| "a parameter of it is too large a number, or none")?.unwrap_or(otherwise))
}

fn decode(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| "a part of it is no text")
}

/// `Err`: what is wrong with it, without quoting any of it.
fn read(text: &str) -> Result<Address, &'static str> {
    let (before, _) = split(text);
    let (scheme, rest) = before.split_once("://").ok_or("it has no scheme")?;
    let encrypted = match &*scheme.to_ascii_lowercase() {
        "amqp" => false,
        "amqps" => true,
        _ => return Err("its scheme is neither amqp nor amqps"),
    };
    let (authority, virtual_host) = match rest.split_once('/') {
        Some((authority, name)) => (authority, decode(name)?),
        None => (rest, "/".to_owned()),
    };
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, authority),
    };
    let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
        None | Some(Err("")) => ("guest", "guest"),
        Some(Err(user)) => (user, "guest"),
        Some(Ok(("", password))) => ("guest", password),
        Some(Ok(both)) => both,
    };
    let (host, port) = read_place(place)?;
    if [user, password, &*virtual_host].iter().any(|part| part.len() > MAX_SHORT_STRING) {
        return Err("its user, password or virtual host is longer than AMQP has it");
    }
    let login = match parameter(text, "auth_mechanism") {
        None => Login::Password,
        Some(name) if name.eq_ignore_ascii_case("plain") => Login::Password,
        Some(name) if name.eq_ignore_ascii_case("external") => Login::External,
        Some(_) => return Err("its `auth_mechanism` is neither plain nor external"),
    };
    Ok(Address {
        encrypted,
        host: if host.is_empty() { "localhost".to_owned() } else { decode(host)? },
        port: match port {
            "" if encrypted => 5671,
            "" => 5672,
            port => port.parse().map_err(|_| "its port is no number up to 65535")?,
        },
        user: decode(user)?,
        password: decode(password)?,
        virtual_host,
        login,
        tuning: Tuning {
            channels: match number(text, "channel_max", CHANNEL_MAX)? {
                0 => CHANNEL_MAX,
                most => most,
            },
            largest_frame: match number(text, "frame_max", FRAME_MAX)? {
                0 => FRAME_MAX,
                largest => largest.max(FRAME_MIN),
            },
            heartbeat: number(text, "heartbeat", 0)?,
        },
    })
}

/// The host, and the port or nothing.
fn read_place(place: &str) -> Result<(&str, &str), &'static str> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (literal, port) = rest.split_once(']').ok_or("its host has no closing bracket")?;
            let port = if port.is_empty() { ":" } else { port };
            let port = port.strip_prefix(':').ok_or("something follows the bracket of its host")?;
            (literal, port)
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let impossible = |c: char| c.is_whitespace() || c.is_control() || "<>[\\]^|\"".contains(c);
    if host.contains(impossible) {
        return Err("its host has a character that no name has");
    }
    Ok((host, port))
}

fn invalid(text: &str, why: &str) -> BrokerError {
    let message = format!(
        "{:?} is not the address of a broker, as {why}: it has the form amqp://user:password@host:5672/vhost, where the virtual host / is written %2f",
        redacted(text)
    );
    BrokerError::new(BrokerErrorKind::InvalidAddress, message)
}

/// The text without the user and the password, or what may be meant to be these.
fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let shown = match (rest.rfind('@'), rest.find(':')) {
        (Some(at), _) => format!("…{}", &rest[at..]),
        // What follows is a port only if it looks like one.
        (None, Some(colon)) if !rest[colon + 1..].starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{}:…", &rest[..colon])
        }
        (None, _) => rest.to_owned(),
    };
    match scheme {
        "" => shown,
        scheme if scheme.contains('@') => format!("…://{shown}"),
        scheme => format!("{scheme}://{shown}"),
    }
}

#[cfg(test)]
mod tests;
