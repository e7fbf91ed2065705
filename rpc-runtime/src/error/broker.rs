//! What the broker refuses, and what keeps it out of reach.

use std::{error::Error, fmt, sync::Arc};

use crate::{causes::debug_as_sentence, escape::Escaped};

type Source = Arc<dyn Error + Send + Sync>;

/// What kind of trouble there is with the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerErrorKind {
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
    /// This user may not do that with this queue or exchange.
    NotPermitted,
    /// The queue or exchange does not exist.
    NotFound,
    /// The queue or exchange exists with other properties.
    DeclaredDifferently,
    /// The virtual host, the user or the node has as many connections as it may have. It passes by itself.
    LimitReached,
    /// Something is used in a way that the broker, or this library, does not allow.
    Misuse,
    /// The connection or channel was lost.
    ConnectionLost,
    /// The `Broker` was closed by this program.
    Closed,
}

/// Trouble with the broker: what kind, a sentence that says with what, and the cause.
///
/// It never shows a password. `Debug` is the sentence with its causes.
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
    /// Nobody will ever answer, unless somebody starts a broker.
    hopeless: bool,
}

impl BrokerError {
    pub(crate) fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hopeless: false }
    }

    /// Something that this library or the broker does not allow.
    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(BrokerErrorKind::Misuse, message)
    }

    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same error, with what can be done about it. Its causes come before that, so they are in the sentence then.
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

    /// The sentence with its causes, for a line of a log.
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

    /// What kind of trouble it is.
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Whether trying again, without changing anything, is pointless.
    pub fn is_permanent(&self) -> bool {
        use BrokerErrorKind::{ConnectionLost, LimitReached, Unreachable};
        !matches!(self.kind, Unreachable | ConnectionLost | LimitReached)
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may quote the broker, which quotes names of others.
        Escaped::new(&self.message).whole().fmt(f)
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

debug_as_sentence!(BrokerError);
