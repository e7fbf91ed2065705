//! How a call ended when not with its result, with the names of the call.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::{BrokerErrorKind, CallError, sentence};
use crate::{causes::with_causes, escape::Escaped};

/// Why a call did not return its result: a [`CallError`], and which call it was.
///
/// [`Call::explain`](crate::Call::explain) makes it, and `?` turns it into a `CallError`, or into a `Box<dyn Error>`. `Display` is
/// the whole of it in one sentence, `Debug` the same with the causes that are not in the sentence.
///
/// ```
/// use rpc_runtime::{Broker, CallError, rpc_service};
///
/// #[rpc_service]
/// trait Echo {
///     async fn echo(&self, text: String) -> String;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = EchoClient::new(&Broker::in_memory());
/// let failure = client.echo("hello".into()).explain().await.unwrap_err();
/// assert_eq!(
///     failure.to_string(),
///     "Echo.echo: no server (the queue \"Echo\" does not exist on the in-memory broker; \
///      has a server of this service ever run there?)"
/// );
/// assert_eq!((failure.service(), failure.method()), ("Echo", "echo"));
/// assert!(matches!(failure.into_error(), CallError::NoServer));
/// # }
/// ```
pub struct CallFailure<E = std::convert::Infallible>(Box<Failed<E>>);

struct Failed<E> {
    facts: Facts,
    error: CallError<E>,
}

/// What is known of a call.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) service: String,
    pub(crate) method: String,
    pub(crate) queue: String,
    /// Empty for the default exchange.
    pub(crate) exchange: String,
    pub(crate) broker: String,
    /// Its client does not send where nobody consumes the queue.
    pub(crate) looks: bool,
    pub(crate) ended: Option<Ended>,
}

/// How things stood when it ended.
pub(crate) struct Ended {
    pub(crate) waited: Duration,
    /// How long it was to wait at most.
    pub(crate) timeout: Duration,
    /// What kept requests from being sent, if anything did.
    pub(crate) obstacle: Option<Obstacle>,
}

/// Why no request can be sent.
pub(crate) enum Obstacle {
    NoConnection,
    /// The broker takes no messages, for this reason.
    Blocked(Arc<str>),
}

impl<E> CallFailure<E> {
    pub(crate) fn new(facts: Facts, error: CallError<E>) -> Self {
        Self(Box::new(Failed { facts, error }))
    }

    /// The name of the service; of a call without a trait, its queue.
    pub fn service(&self) -> &str {
        &self.0.facts.service
    }

    /// The name of the method.
    pub fn method(&self) -> &str {
        &self.0.facts.method
    }

    /// The queue that the request was for.
    pub fn queue(&self) -> &str {
        &self.0.facts.queue
    }

    /// The address of the broker, or the addresses, without user and password.
    pub fn broker(&self) -> &str {
        &self.0.facts.broker
    }

    /// How long the call had been under way; nothing if it never was.
    pub fn waited(&self) -> Duration {
        self.0.facts.ended.as_ref().map_or(Duration::ZERO, |ended| ended.waited)
    }

    /// How long it was to wait at most: until its own deadline, or that of the request whose handler made it.
    pub fn timeout(&self) -> Option<Duration> {
        self.0.facts.ended.as_ref().map(|ended| ended.timeout)
    }

    /// The error by itself.
    pub fn error(&self) -> &CallError<E> {
        &self.0.error
    }

    /// The error by itself.
    pub fn into_error(self) -> CallError<E> {
        self.0.error
    }

    /// Whether the method may have run: see [`CallError::may_have_run`].
    pub fn may_have_run(&self) -> bool {
        self.0.error.may_have_run()
    }

    /// Whether the same call may succeed later: see [`CallError::is_retryable`].
    pub fn is_retryable(&self) -> bool {
        self.0.error.is_retryable()
    }

    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.error {
            // Those themselves are in the sentence.
            CallError::Encode(error) => error.source(),
            CallError::Decode(error) => error.source(),
            CallError::Broker(error) => error.source(),
            CallError::Layer(error) => error.source(),
            _ => None,
        }
    }
}

impl<E> From<CallFailure<E>> for CallError<E> {
    fn from(failure: CallFailure<E>) -> Self {
        failure.into_error()
    }
}

impl<E: fmt::Display> fmt::Display for CallFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed { facts, error } = &*self.0;
        let ran = sentence::ran(error.may_have_run());
        facts.name(f)?;
        match error {
            CallError::Application(error) => error.fmt(f),
            CallError::NoServer => facts.no_server(f),
            CallError::DeadlineExceeded { may_have_run: true } => {
                write!(f, "no answer {}; {ran}", facts.within())
            }
            CallError::DeadlineExceeded { may_have_run: false } => {
                write!(f, "not started {}; {ran}", facts.within())?;
                facts.why_not_started(f)
            }
            CallError::ConnectionLost { may_have_run: true } => {
                let after = sentence::time(self.waited());
                write!(f, "the connection to {} was lost after {after}; {ran}", facts.broker)
            }
            CallError::ConnectionLost { may_have_run: false } => {
                write!(f, "there is no connection to {}; {ran}: call again later", facts.broker)
            }
            CallError::Refused(fault) => f.write_str(&sentence::refused(fault, fault)),
            CallError::Panicked => f.write_str(sentence::PANICKED),
            CallError::Encode(error) => write!(f, "{}: {error}", sentence::NOT_WRITTEN),
            CallError::TooLarge(error) => f.write_str(&sentence::too_large(*error)),
            CallError::Decode(error) => {
                write!(f, "{}: {error}; {ran}: {}", sentence::UNREADABLE, sentence::SAME_TRAIT)
            }
            CallError::Broker(error) if error.kind() == BrokerErrorKind::Closed => {
                let closed = sentence::broker(error.kind());
                write!(f, "{closed}; {ran} (it was connected to {})", facts.broker)
            }
            CallError::Broker(error) => {
                let text = error.to_string();
                f.write_str(&text)?;
                if !text.contains(&facts.broker) {
                    write!(f, " (on {})", facts.broker)?;
                }
                write!(f, "; {ran}")
            }
            CallError::ChangedTooLate { what, .. } => {
                write!(f, "{}; {ran}: {}", sentence::changed(what), sentence::CHANGE_EARLIER)
            }
            CallError::Layer(error) => write!(f, "{}: {error}; {ran}", sentence::LAYER),
        }
    }
}

impl Facts {
    fn name(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.method.is_empty() {
            return Ok(());
        }
        // Of a call without a trait, both may be anything.
        write!(f, "{}.{}: ", Escaped::new(&self.service), Escaped::new(&self.method))
    }

    fn no_server(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, method, exchange, broker, .. } = self;
        f.write_str("no server (")?;
        if exchange.is_empty() {
            write!(f, "the queue {queue:?} does not exist on {broker}")?;
        } else {
            let key = format!("{queue}.{method}");
            write!(f, "no queue takes {key:?} from the exchange {exchange:?} on {broker}")?;
        }
        if self.looks {
            return f.write_str(", or nobody consumes it; is a server of this service running?)");
        }
        f.write_str("; has a server of this service ever run there?)")
    }

    fn within(&self) -> String {
        match &self.ended {
            Some(Ended { waited, timeout, .. }) => {
                format!("within {}", sentence::time(*waited.min(timeout)))
            }
            None => "by the deadline".to_owned(),
        }
    }

    fn why_not_started(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broker = &self.broker;
        match self.ended.as_ref().and_then(|ended| ended.obstacle.as_ref()) {
            Some(Obstacle::NoConnection) => {
                write!(f, ": there is no connection to {broker}; is it running?")
            }
            Some(Obstacle::Blocked(reason)) => {
                write!(f, ": {broker} takes no messages: {}", Escaped::new(reason))
            }
            None => f.write_str(": call again with more time"),
        }
    }
}

/// The sentence with the causes that it does not contain.
impl<E: fmt::Display> fmt::Debug for CallFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_causes(f, self, self.cause())
    }
}

impl<E: fmt::Display> Error for CallFailure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause()
    }
}

#[cfg(test)]
mod tests;
