//! The error of connecting.

use std::{
    error::Error,
    fmt::{self, Write as _},
    io,
    sync::Arc,
};

/// Why no connection could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The address is not valid.
    InvalidAddress,
    /// The address asks for `amqps`, and this build has no TLS.
    TlsUnavailable,
    /// Nothing answered, or the peer is not an AMQP broker.
    Unreachable,
    /// The user name or the password is wrong.
    CredentialsRefused,
    /// The virtual host does not exist, or this user may not use it.
    VirtualHostRefused,
    /// The virtual host, the user or the node has reached its limit of connections. This error is temporary.
    LimitReached,
    /// The connection allows fewer channels than are needed.
    TooFewChannels,
}

/// No connection could be made. `Display` is a sentence with the address and the reason. The cause is in `source()`.
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

    /// A retry fails, unless somebody starts a broker there.
    pub(super) fn hopeless(mut self) -> Self {
        self.hopeless = true;
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// Whether a retry without any change is pointless.
    pub fn is_permanent(&self) -> bool {
        use ConnectErrorKind::{LimitReached, Unreachable};
        !matches!(self.kind, Unreachable | LimitReached)
    }

    /// Whether a retry is likely to fail unless somebody starts a broker at the address.
    pub fn is_hopeless(&self) -> bool {
        self.hopeless
    }

    /// The cause that `source()` leads to.
    pub fn cause(&self) -> Option<&Arc<io::Error>> {
        self.cause.as_ref()
    }

    /// The message with its causes.
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
        // The message may quote text from the broker.
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
