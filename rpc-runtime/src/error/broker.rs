//! Errors of the broker and of connections to it.

use std::{error::Error, fmt, sync::Arc};

use crate::{causes::debug_as_sentence, escape::Escaped};

type Source = Arc<dyn Error + Send + Sync>;

/// The kind of an error of the broker or of a connection to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerErrorKind {
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
    /// This user has no permission for this queue or exchange.
    NotPermitted,
    /// The queue or exchange does not exist.
    NotFound,
    /// The queue or exchange exists with other properties.
    DeclaredDifferently,
    /// The virtual host, the user or the node has reached its limit of connections. This error is temporary.
    LimitReached,
    /// An operation that the broker or this library does not allow.
    Misuse,
    /// The connection or channel was lost.
    ConnectionLost,
    /// This program closed the `Broker`.
    Closed,
}

/// An error of the broker or of a connection to it: its kind, a sentence, and the cause.
///
/// It never contains a password. `Debug` shows the sentence with its causes.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use rpc_runtime::{Broker, BrokerErrorKind};
///
/// let error = Broker::connect("http://localhost").await.unwrap_err();
/// assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress);
/// assert!(error.is_permanent(), "to try again is pointless");
/// # }
/// ```
#[derive(Clone)]
pub struct BrokerError {
    kind: BrokerErrorKind,
    message: String,
    source: Option<Source>,
    /// A retry fails, unless somebody starts a broker there.
    hopeless: bool,
}

impl BrokerError {
    pub(crate) fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hopeless: false }
    }

    /// An operation that this library or the broker does not allow.
    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(BrokerErrorKind::Misuse, message)
    }

    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Adds a remedy to the error. The remedy comes last, so the causes become part of the sentence before it.
    pub(crate) fn remedy(mut self, remedy: &str) -> Self {
        self.message = self.in_full();
        self.source = None;
        self.message.push_str("; ");
        self.message.push_str(remedy);
        self
    }

    pub(crate) fn hopeless(mut self) -> Self {
        self.hopeless = true;
        self
    }

    pub(crate) fn is_hopeless(&self) -> bool {
        self.hopeless
    }

    /// The sentence with its causes, for one line of a log.
    pub(crate) fn whole(&self) -> impl fmt::Display {
        Escaped::new(self.in_full()).whole()
    }

    fn in_full(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// The kind of the error.
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Whether a retry without any change is pointless.
    pub fn is_permanent(&self) -> bool {
        use BrokerErrorKind::{ConnectionLost, LimitReached, Unreachable};
        !matches!(self.kind, Unreachable | ConnectionLost | LimitReached)
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may quote the broker, which quotes names that others chose.
        Escaped::new(&self.message).whole().fmt(f)
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

debug_as_sentence!(BrokerError);
