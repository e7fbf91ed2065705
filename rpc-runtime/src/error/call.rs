//! How a call ends when not with its result.

use std::{convert::Infallible, error::Error, fmt};

use super::{BrokerError, BrokerErrorKind, LayerError, sentence};
use crate::{
    causes::{debug_as_sentence, with_causes},
    codec::{DecodeError, EncodeError},
    fault::Fault,
};

/// Why a call did not return its result.
///
/// `E` is the method's own error; a method without one has `CallError<Infallible>`, which [`widen`](Self::widen) turns
/// into any other.
///
/// `Display` is a sentence: what happened, whether the method may have run, and what to do. `Debug`, which a program prints that
/// ends with `?` in `main`, is the sentence with its causes, those that [`source`](Error::source) leads to. The variants have
/// no room for the names of the service and the method: [`Call::explain`](crate::Call::explain) has them in the sentence,
/// too.
///
/// ```
/// use std::error::Error;
///
/// use rpc_runtime::{CallError, Fault, FaultKind};
///
/// let refused: CallError<String> = CallError::Refused(Fault::new(FaultKind::Overloaded, "queue full"));
/// assert!(refused.is_retryable() && !refused.may_have_run());
/// assert_eq!(refused.to_string(), "refused as overloaded; it did not run: call again later, or start more servers");
/// assert_eq!(refused.source().unwrap().to_string(), "overloaded: queue full");
/// ```
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The method ran and returned its own error.
    Application(E),
    /// There is no queue for this service: no server has ever been started, or the queue's name differs. Or nobody consumes
    /// it, and the client is one that [fails fast](crate::ClientBuilder::when_unserved).
    NoServer,
    /// The deadline passed.
    DeadlineExceeded {
        /// `false` only if the request was never handed to the broker, came back, or was refused before running.
        may_have_run: bool,
    },
    /// The connection went while the call was in flight, and it may not be sent again.
    ConnectionLost {
        /// `false` only if the request was never handed to the broker.
        may_have_run: bool,
    },
    /// The server or the broker refused it.
    Refused(Fault),
    /// The handler panicked. The panic hook of the server's program writes the message and the place, to standard error by default.
    Panicked,
    /// The arguments or the headers cannot be written; nothing was sent.
    Encode(EncodeError),
    /// The request is over the client's limit; nothing was sent.
    TooLarge(TooLarge),
    /// The reply is not what this client understands.
    Decode(DecodeError),
    /// The broker does not let this client do what the call needs. It will not go away by itself.
    Broker(BrokerError),
    /// The call was changed, or sent, after it had been polled: a fault of the program. It has been given up.
    ChangedTooLate {
        /// The method that came too late.
        what: &'static str,
        /// `false` only if the request was never handed to the broker.
        may_have_run: bool,
    },
    /// A layer of this client ended the call, with an error of its own: see [`middleware`](crate::middleware).
    Layer(LayerError),
}

/// A message, and the limit it is over; both in bytes.
///
/// ```
/// # use rpc_runtime::{Broker, rpc_service};
/// use rpc_runtime::{CallError, TooLarge};
/// # #[rpc_service]
/// # trait Echo { async fn echo(&self, text: String) -> String; }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let broker = Broker::in_memory();
///
/// let client = EchoClient::builder(&broker).max_request(100).build();
/// match client.echo("la".repeat(100)).await {
///     Err(CallError::TooLarge(TooLarge { size, limit: 100 })) => assert!(size > 200),
///     other => panic!("{other:?}"),
/// }
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// The size of the body.
    pub size: usize,
    /// The largest that is allowed.
    pub limit: usize,
}

impl TooLarge {
    pub(crate) fn check(size: usize, limit: usize) -> Result<(), Self> {
        if size > limit { Err(Self { size, limit }) } else { Ok(()) }
    }
}

impl<E> CallError<E> {
    /// Whether the method may have run, wholly or in part.
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Application(_) | Self::Panicked | Self::Decode(_) => true,
            Self::DeadlineExceeded { may_have_run }
            | Self::ConnectionLost { may_have_run }
            | Self::ChangedTooLate { may_have_run, .. } => *may_have_run,
            Self::Refused(fault) => fault.may_have_run(),
            Self::Layer(error) => error.may_have_run(),
            Self::NoServer | Self::Encode(_) | Self::TooLarge(_) | Self::Broker(_) => false,
        }
    }

    /// Whether the same call may succeed later, without any risk of running twice.
    ///
    /// ```
    /// use rpc_runtime::{CallError, Fault, FaultKind};
    ///
    /// let full: CallError = CallError::Refused(Fault::new(FaultKind::Overloaded, ""));
    /// assert!(full.is_retryable());
    /// let late: CallError = CallError::DeadlineExceeded { may_have_run: true };
    /// assert!(!late.is_retryable() && late.may_have_run());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoServer => true,
            Self::DeadlineExceeded { may_have_run } | Self::ConnectionLost { may_have_run } => {
                !may_have_run
            }
            Self::Refused(fault) => fault.is_retryable(),
            Self::Layer(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// The method's own error, if that is what it is.
    ///
    /// ```
    /// use rpc_runtime::CallError;
    ///
    /// assert_eq!(CallError::Application("sold out").application(), Some(&"sold out"));
    /// assert_eq!(CallError::<&str>::NoServer.application(), None);
    /// ```
    pub fn application(&self) -> Option<&E> {
        match self {
            Self::Application(error) => Some(error),
            _ => None,
        }
    }

    /// Changes the method's own error.
    ///
    /// ```
    /// use rpc_runtime::CallError;
    ///
    /// let error = CallError::Application("sold out").map_application(str::len);
    /// assert!(matches!(error, CallError::Application(8)));
    /// ```
    pub fn map_application<F>(self, map: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::Application(error) => CallError::Application(map(error)),
            Self::NoServer => CallError::NoServer,
            Self::DeadlineExceeded { may_have_run } => CallError::DeadlineExceeded { may_have_run },
            Self::ConnectionLost { may_have_run } => CallError::ConnectionLost { may_have_run },
            Self::Refused(fault) => CallError::Refused(fault),
            Self::Panicked => CallError::Panicked,
            Self::Encode(error) => CallError::Encode(error),
            Self::TooLarge(error) => CallError::TooLarge(error),
            Self::Decode(error) => CallError::Decode(error),
            Self::Broker(error) => CallError::Broker(error),
            Self::ChangedTooLate { what, may_have_run } => {
                CallError::ChangedTooLate { what, may_have_run }
            }
            Self::Layer(error) => CallError::Layer(error),
        }
    }
}

impl CallError<Infallible> {
    /// The same error where a method's own error is expected too.
    ///
    /// ```
    /// use rpc_runtime::CallError;
    ///
    /// fn load() -> Result<u32, CallError<String>> {
    ///     let quiet: Result<u32, CallError> = Err(CallError::NoServer);
    ///     quiet.map_err(CallError::widen)
    /// }
    /// assert!(matches!(load(), Err(CallError::NoServer)));
    /// ```
    pub fn widen<E>(self) -> CallError<E> {
        self.map_application(|never| match never {})
    }
}

impl<E> CallError<E> {
    /// What happened, as far as it is known without the names of the call; `Err` if it is the method's own error.
    fn sentence(&self) -> Result<String, &E> {
        let ran = sentence::ran(self.may_have_run());
        Ok(match self {
            Self::Application(error) => return Err(error),
            Self::NoServer => {
                "no server: the queue of the service does not exist, or nobody consumes it; has a server of this service ever run there?".to_owned()
            }
            Self::DeadlineExceeded { may_have_run: true } => {
                format!("no answer by the deadline; {ran}")
            }
            Self::DeadlineExceeded { may_have_run: false } => {
                format!("the deadline passed before the method was started; {ran}: call again with more time")
            }
            Self::ConnectionLost { may_have_run: true } => {
                format!("the connection to the broker was lost during the call; {ran}")
            }
            Self::ConnectionLost { may_have_run: false } => {
                format!("there is no connection to the broker; {ran}: call again later")
            }
            Self::Refused(fault) => sentence::refused(sentence::word(fault), fault),
            Self::Panicked => sentence::PANICKED.to_owned(),
            Self::Encode(_) => sentence::NOT_WRITTEN.to_owned(),
            Self::TooLarge(error) => sentence::too_large(*error),
            Self::Decode(_) => format!("{}; {ran}: {}", sentence::UNREADABLE, sentence::SAME_TRAIT),
            Self::Broker(error) => format!("{}; {ran}", sentence::broker(error.kind())),
            Self::ChangedTooLate { what, .. } => {
                format!("{}; {ran}: {}", sentence::changed(what), sentence::CHANGE_EARLIER)
            }
            Self::Layer(error) => format!("{}: {error}; {ran}", sentence::LAYER),
        })
    }

    /// What the sentence does not contain.
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // The word is in the sentence.
            Self::Refused(fault) if fault.message().is_empty() => None,
            Self::Refused(fault) => Some(fault),
            Self::Encode(error) => Some(error),
            Self::Decode(error) => Some(error),
            // That is all that there is to say.
            Self::Broker(error) if error.kind() == BrokerErrorKind::Closed => None,
            Self::Broker(error) => Some(error),
            // The error of the layer is in the sentence.
            Self::Layer(error) => error.source(),
            _ => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sentence() {
            Ok(sentence) => f.write_str(&sentence),
            Err(error) => error.fmt(f),
        }
    }
}

/// The sentence with its causes.
impl<E: fmt::Debug> fmt::Debug for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sentence() {
            Ok(sentence) => with_causes(f, sentence, self.cause()),
            Err(error) => write!(f, "the method's own error: {error:?}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause()
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a body of {} bytes is over the limit of {}", self.size, self.limit)
    }
}

impl Error for TooLarge {}

debug_as_sentence!(TooLarge);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    #[test]
    fn only_failures_that_cannot_have_run_are_retryable() {
        let errors: [CallError; 6] = [
            CallError::NoServer,
            CallError::DeadlineExceeded { may_have_run: true },
            CallError::DeadlineExceeded { may_have_run: false },
            CallError::Refused(Fault::new(FaultKind::ShuttingDown, "")),
            CallError::Refused(Fault::new(FaultKind::TooLarge, "").ran(true)),
            CallError::Panicked,
        ];
        for error in errors {
            assert!(!(error.is_retryable() && error.may_have_run()), "{error:?}");
        }
    }
}
