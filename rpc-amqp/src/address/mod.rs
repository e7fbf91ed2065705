//! The address of a broker. It contains a password, so errors and logs show only parts of it.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
    time::Duration,
};

use percent_encoding::percent_decode_str;

use crate::{
    ConnectError, ConnectErrorKind,
    limits::{HEARTBEAT, MAX_SHORT_STRING},
    protocol::Tuning,
};

/// RabbitMQ's default, recommended by its documentation. Without a value, the peer would choose the size of our
/// buffers.
const FRAME_MAX: u32 = 131_072;

/// RabbitMQ 4.1 refuses connections with smaller frames.
const FRAME_MIN: u32 = 8192;

/// The largest password, in bytes. A login is one frame, so a longer password does not fit, whatever frame size is
/// agreed on later. Tokens have some thousand bytes.
const MAX_PASSWORD: usize = FRAME_MAX as usize / 2;

/// The largest value of AMQP's 16-bit field.
const CHANNEL_MAX: u16 = u16::MAX;

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    Password,
    /// With the client certificate of the TLS connection.
    External,
}

impl Login {
    /// The name of the SASL mechanism.
    pub(crate) fn mechanism(self) -> &'static str {
        match self {
            Self::Password => "PLAIN",
            Self::External => "EXTERNAL",
        }
    }
}

/// The address of a broker: `amqp://user:password@host:5672/vhost`, where the virtual host `/` is written `%2f`.
///
/// The query may have `heartbeat`, `frame_max`, `channel_max` and `auth_mechanism` (`plain` or `external`). `Display` shows neither
/// the user nor the password.
pub struct Address {
    encrypted: bool,
    host: String,
    port: u16,
    user: String,
    password: String,
    virtual_host: String,
    login: Login,
    /// The values that this client proposes.
    tuning: Tuning,
}

impl Address {
    /// Parses an address. A `heartbeat` in the query of the address overrides the argument.
    pub(crate) fn parse(
        text: &str,
        heartbeat: Duration,
        external: bool,
    ) -> Result<Self, ConnectError> {
        // Text that was read from a file ends with a line break.
        let text = text.trim();
        let mut address = read(text).map_err(|why| invalid(text, why))?;
        if address.encrypted && cfg!(not(feature = "tls")) {
            let message = format!(
                "{} asks for TLS, which this build does not have: enable the feature `tls`",
                redacted(text)
            );
            return Err(ConnectError::new(ConnectErrorKind::TlsUnavailable, message));
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

    /// Whether it is an `amqps://` address.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The virtual host.
    pub fn virtual_host(&self) -> &str {
        &self.virtual_host
    }

    pub(crate) fn login(&self) -> Login {
        self.login
    }

    /// The SASL response. It contains the password.
    pub(crate) fn response(&self) -> Vec<u8> {
        match self.login {
            Login::Password => format!("\0{}\0{}", self.user, self.password).into_bytes(),
            Login::External => Vec::new(),
        }
    }

    pub(crate) fn tuning(&self) -> Tuning {
        self.tuning
    }
}

impl FromStr for Address {
    type Err = ConnectError;

    fn from_str(text: &str) -> Result<Self, ConnectError> {
        Self::parse(text, HEARTBEAT, false)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "amqps" } else { "amqp" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}/", self.host, self.port)?;
        } else {
            write!(f, "{scheme}://{}:{}/", self.host, self.port)?;
        }
        // Characters that would end the name or break a log line are percent-encoded.
        for c in self.virtual_host.chars() {
            if c.is_control() || c.is_whitespace() || "/?#@%,".contains(c) {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    write!(f, "%{byte:02x}")?;
                }
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part before the query and the fragment, and the query.
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

/// `Err`: what is wrong with the address. The error quotes no part of it.
fn read(text: &str) -> Result<Address, &'static str> {
    let (scheme, after) = text.split_once("://").ok_or("it has no scheme")?;
    let encrypted = match &*scheme.to_ascii_lowercase() {
        "amqp" => false,
        "amqps" => true,
        _ => return Err("its scheme is neither amqp nor amqps"),
    };
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    if after[end..].contains('@') {
        // This is probably the rest of a password. Do not parse it as a port or path, and never show it.
        return Err(MISPLACED_AT);
    }
    let (rest, _) = split(after);
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
    let (user, password) = (decode(user)?, decode(password)?);
    if user.len() > MAX_SHORT_STRING || virtual_host.len() > MAX_SHORT_STRING {
        return Err("its user or virtual host is longer than the 255 bytes that AMQP has for it");
    }
    if password.len() > MAX_PASSWORD {
        return Err("its password is longer than 64 KiB");
    }
    if user.contains('\0') || password.contains('\0') {
        return Err(
            "its user or password has a character of the code 0, which a login cannot have",
        );
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
        user,
        password,
        virtual_host,
        login,
        tuning: Tuning {
            channel_max: match number(text, "channel_max", CHANNEL_MAX)? {
                0 => CHANNEL_MAX,
                most => most,
            },
            frame_max: match number(text, "frame_max", FRAME_MAX)? {
                0 => FRAME_MAX,
                largest => largest.max(FRAME_MIN),
            },
            heartbeat: number(text, "heartbeat", 0)?,
        },
    })
}

/// The error for an `@` behind the host.
const MISPLACED_AT: &str = "an `@` stands behind a `/`, `?` or `#`, which in a user, a password or a virtual host have to be \
                            percent-encoded (# as %23, / as %2F, ? as %3F, @ as %40)";

/// The host, and the port if there is one.
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

fn invalid(text: &str, why: &str) -> ConnectError {
    let what = if text.is_empty() {
        "the address of the broker is empty".to_owned()
    } else {
        format!("{:?} is not the address of a broker: {why}", redacted(text))
    };
    let message = format!(
        "{what}; it has the form amqp://user:password@host:5672/vhost, where the virtual host / is written %2f"
    );
    ConnectError::new(ConnectErrorKind::InvalidAddress, message)
}

/// The scheme, the host and the port, if they are certain to be that. Any other part may belong to a password.
fn redacted(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let (before, rest) = match rest.rsplit_once('@') {
        Some((_, place)) => ("…@", place),
        None => ("", rest),
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let more = if place.len() < rest.len() { "/…" } else { "" };
    // The text after a colon is a port only if it looks like one.
    let host = match place.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() && host.starts_with('[') => {
            place.to_owned()
        }
        Some((host, port)) if port.parse::<u16>().is_ok() && !host.contains(':') => {
            place.to_owned()
        }
        Some(_) if place.starts_with('[') && place.ends_with(']') => place.to_owned(),
        Some(_) => format!("{}:…", place.split(':').next().unwrap_or_default()),
        None => place.to_owned(),
    };
    let is_scheme = |scheme: &&str| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    match scheme {
        None => format!("{before}{host}{more}"),
        Some(scheme) if is_scheme(&scheme) => format!("{scheme}://{before}{host}{more}"),
        Some(_) => format!("…://{before}{host}{more}"),
    }
}

#[cfg(test)]
mod tests;
