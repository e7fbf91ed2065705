//! A call: a builder until it is first polled, a future from then on.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Outgoing,
    draft::Draft,
    running::{Running, refused},
};
use crate::{
    codec::{DecodeError, Encoding},
    error::CallError,
    middleware::Reply,
};

/// A call of a remote method: await it for its result.
///
/// Nothing is sent before the first poll; until then, its methods change how it is sent. After that it is too late: a call
/// that was polled and is then changed, or [sent](Self::send), ends with [`CallError::ChangedTooLate`]. It is `Send` and `'static`, so
/// it can be spawned, joined and selected over.
///
/// ```
/// use std::time::Duration;
///
/// use rpc_runtime::{Broker, rpc_service};
///
/// #[rpc_service]
/// trait Greeter {
///     async fn greet(&self, name: String) -> String;
/// }
///
/// struct Polite;
/// impl Greeter for Polite {
///     async fn greet(&self, name: String) -> String {
///         format!("Good day, {name}")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::CallError> {
/// let broker = Broker::serving(GreeterServer::new(Polite));
/// let client = GreeterClient::new(&broker);
///
/// assert_eq!(client.greet("Ada".into()).await?, "Good day, Ada");
///
/// let hurried = client.greet("Grace".into()).timeout(Duration::from_secs(1)).header("tenant", "a");
/// assert_eq!(hurried.await?, "Good day, Grace");
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping a call frees everything it holds here. A request that was handed to the broker by then may still run.
#[must_use = "a call is sent when it is awaited, or by `send()`"]
pub struct Call<T, E = Infallible> {
    state: State,
    decode_value: DecodeValue<T>,
    decode_error: DecodeOwnError<E>,
}

type DecodeValue<T> = fn(&[u8], Encoding) -> Result<T, DecodeError>;
type DecodeOwnError<E> = fn(&[u8], Encoding) -> Result<Option<E>, DecodeError>;

enum State {
    Draft(Draft),
    Running(Running),
    /// This was called after the first poll.
    ChangedTooLate(Box<ChangedTooLate>),
    Ended,
}

struct ChangedTooLate {
    what: &'static str,
    may_have_run: bool,
    /// Unless it had ended by then.
    call: Option<Arc<Outgoing>>,
}

impl<T, E> Call<T, E> {
    pub(super) fn new(
        draft: Draft,
        decode_value: DecodeValue<T>,
        decode_error: DecodeOwnError<E>,
    ) -> Self {
        Self { state: State::Draft(draft), decode_value, decode_error }
    }

    /// How long to wait for the answer, from the first poll on. It travels along, so that a server does not start what
    /// nobody waits for any more.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change("timeout", |draft| draft.set_timeout(timeout))
    }

    /// Until when to wait for the answer.
    pub fn deadline(self, deadline: impl Into<Instant>) -> Self {
        let deadline = deadline.into();
        self.change("deadline", |draft| draft.set_deadline(deadline))
    }

    /// A header that the handler sees; a second value for a name replaces the first. Names do not begin with `rpc-` and
    /// are not `CC` or `BCC`, by which RabbitMQ routes; all headers together have at most 16 KiB.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.change("header", |draft| draft.set_header(name.into(), value.into()))
    }

    /// Its priority, where the queue keeps priorities apart.
    pub fn priority(self, priority: u8) -> Self {
        self.change("priority", |draft| draft.change(|call| call.priority = Some(priority)))
    }

    /// Has RabbitMQ keep the request over a restart of its own.
    pub fn persistent(self) -> Self {
        self.change("persistent", |draft| draft.change(|call| call.persistent = true))
    }

    /// Says that running it twice is the same as running it once, so that it may be sent again.
    pub fn idempotent(self) -> Self {
        self.change("idempotent", |draft| draft.change(|call| call.idempotent = true))
    }

    /// Sends the request for its effect alone: no answer comes, and no error of the method either.
    ///
    /// It resolves when the broker has taken the request. It has no deadline at the server unless
    /// [`timeout`](Self::timeout) or [`deadline`](Self::deadline) gives it one.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, rpc_service};
    /// # #[rpc_service]
    /// # trait Clock { async fn wind(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn wind(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rpc_runtime::CallError> {
    /// # let client = ClockClient::new(&Broker::serving(ClockServer::new(Stopped)));
    /// client.wind().persistent().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`CallError`] that can come before the method runs; [`CallError::ChangedTooLate`] if the call was polled before.
    ///
    /// # Cancel safety
    ///
    /// As for the call itself: the request may have left.
    pub async fn send(self) -> Result<(), CallError<E>> {
        self.send_or(|error, _| error).await
    }

    /// Sends it; `failed` makes the error, of what is known of the call.
    pub(super) async fn send_or<F>(
        self,
        failed: impl FnOnce(CallError<E>, Option<&Outgoing>) -> F,
    ) -> Result<(), F> {
        let mut draft = match self.change("send", |_| {}).state {
            State::Draft(draft) => draft,
            State::ChangedTooLate(changed) => {
                return Err(failed(changed.error(), changed.call.as_deref()));
            }
            State::Running(_) | State::Ended => {
                let error = CallError::ChangedTooLate { what: "send", may_have_run: true };
                return Err(failed(error, None));
            }
        };
        draft.change(|call| call.oneway = true);
        let mut running = Running::start(draft);
        match (&mut running).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(error.widen(), Some(running.call()))),
        }
    }

    /// Changes a call that was not polled. One that was may have left already, without the change: it is given up, and
    /// ends with an error.
    fn change(mut self, what: &'static str, change: impl FnOnce(&mut Draft)) -> Self {
        let call = match &mut self.state {
            State::Draft(draft) => {
                change(draft);
                return self;
            }
            State::ChangedTooLate(_) => return self,
            State::Running(running) => Some(running.call().clone()),
            State::Ended => None,
        };
        let may_have_run = call.as_ref().is_none_or(|call| call.may_have_run());
        let changed = ChangedTooLate { what, may_have_run, call };
        self.state = State::ChangedTooLate(Box::new(changed));
        self
    }

    /// Polls it; `failed` makes the error, of what is known of the call.
    pub(super) fn poll_or<F>(
        &mut self,
        cx: &mut Context<'_>,
        failed: impl FnOnce(CallError<E>, Option<&Outgoing>) -> F,
    ) -> Poll<Result<T, F>> {
        loop {
            match &mut self.state {
                State::Draft(_) => {
                    if let State::Draft(draft) = std::mem::replace(&mut self.state, State::Ended) {
                        self.state = State::Running(Running::start(draft));
                    }
                }
                State::Running(running) => {
                    let reply = ready!(Pin::new(&mut *running).poll(cx));
                    let ended = match reply {
                        Ok(reply) => decode(reply, self.decode_value, self.decode_error),
                        Err(error) => Err(error.widen()),
                    };
                    let ended = ended.map_err(|error| failed(error, Some(running.call())));
                    self.state = State::Ended;
                    return Poll::Ready(ended);
                }
                State::ChangedTooLate(_) => {
                    let state = std::mem::replace(&mut self.state, State::Ended);
                    if let State::ChangedTooLate(changed) = state {
                        let failure = failed(changed.error(), changed.call.as_deref());
                        return Poll::Ready(Err(failure));
                    }
                }
                #[allow(clippy::panic, reason = "as every future; waiting for ever would hide it")]
                State::Ended => panic!("`Call` polled after it had ended"),
            }
        }
    }
}

impl ChangedTooLate {
    fn error<E>(&self) -> CallError<E> {
        CallError::ChangedTooLate { what: self.what, may_have_run: self.may_have_run }
    }
}

fn decode<T, E>(
    reply: Reply,
    decode_value: DecodeValue<T>,
    decode_error: DecodeOwnError<E>,
) -> Result<T, CallError<E>> {
    match reply {
        Reply::Result { body, encoding } => {
            decode_value(&body, encoding).map_err(CallError::Decode)
        }
        Reply::Error { body, encoding } => Err(match decode_error(&body, encoding) {
            Ok(Some(error)) => CallError::Application(error),
            Ok(None) => CallError::Decode(DecodeError::because(
                "the reply is an error, and this method has none",
            )),
            Err(error) => CallError::Decode(error),
        }),
        Reply::Fault(fault) => Err(refused(fault).widen()),
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_or(cx, |error, _| error)
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Call");
        match &self.state {
            State::Draft(Draft { call, .. }) => {
                debug.field("service", &call.service()).field("method", &call.method_name())
            }
            State::Running(_) => debug.field("state", &"running"),
            State::ChangedTooLate(_) => debug.field("state", &"changed too late"),
            State::Ended => debug.field("state", &"ended"),
        };
        debug.finish_non_exhaustive()
    }
}
