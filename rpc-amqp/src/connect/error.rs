//! The error of connecting.

use std::{
    error::Error,
    fmt::{self, Write as _},
    io,
    sync::Arc,
};

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The address is not one that can be connected to.
    InvalidAddress,
    /// `amqps` was asked for, and this build has no TLS.
    TlsUnavailable,
    /// Nobody answered, or what answered is not an AMQP broker.
    Unreachable,
    /// The user name or the password is wrong.
    CredentialsRefused,
    /// The virtual host does not exist, or this user may not enter it.
    VirtualHostRefused,
    /// The virtual host, the user or the node has as many connections as it may have. It passes by itself.
    LimitReached,
    /// The connection may have fewer channels than are needed.
    TooFewChannels,
}

/// There is no connection. `Display` is a sentence that names the address and the reason; the cause is in `source()`.
///
/// It never shows a password.
#[derive(Debug, Clone)]
pub struct ConnectError {
    kind: ConnectErrorKind,
    message: String,
    cause: Option<Arc<io::Error>>,
    hopeless: bool,
}

impl ConnectError {
    pub(crate) fn new(kind: ConnectErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None, hopeless: false }
    }

    pub(super) fn caused_by(mut self, cause: io::Error) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Nobody will ever answer, unless somebody starts a broker.
    pub(super) fn hopeless(mut self) -> Self {
        self.hopeless = true;
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// Whether trying again, without changing anything, is pointless.
    pub fn is_permanent(&self) -> bool {
        use ConnectErrorKind::{LimitReached, Unreachable};
        !matches!(self.kind, Unreachable | LimitReached)
    }

    /// Whether nobody will ever answer, as far as can be known, unless somebody starts a broker there.
    pub fn is_hopeless(&self) -> bool {
        self.hopeless
    }

    /// The cause that `source()` leads to.
    pub fn cause(&self) -> Option<&Arc<io::Error>> {
        self.cause.as_ref()
    }

    /// The sentence with its causes.
    pub(super) fn whole(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may quote the broker.
        for c in self.message.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
