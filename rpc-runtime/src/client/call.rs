//! A call. It is a builder until its first poll, and a future from then on.

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

/// A call of a remote method. Await it for its result.
///
/// Nothing is sent before the first poll. Until then, its methods change how it is sent. A call that was polled and
/// is then changed, or [sent](Self::send), ends with [`CallError::ChangedTooLate`]. A call is `Send` and `'static`,
/// so it can be spawned, joined and used in `select!`.
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
/// Dropping a call frees everything that it holds on this side. If its request was already handed to the broker, it
/// may still run.
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
    /// The error if a method was used after the first poll.
    ChangedTooLate(Box<ChangedTooLate>),
    Ended,
}

struct ChangedTooLate {
    what: &'static str,
    may_have_run: bool,
    /// `None` after it has ended.
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

    /// How long to wait for the reply, from the first poll on. The timeout is sent with the request, so a server does
    /// not start a call that has already timed out.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change("timeout", |draft| draft.set_timeout(timeout))
    }

    /// The time until which to wait for the reply.
    pub fn deadline(self, deadline: impl Into<Instant>) -> Self {
        let deadline = deadline.into();
        self.change("deadline", |draft| draft.set_deadline(deadline))
    }

    /// Adds a header that the handler can read. A second value for a name replaces the first. A name must not begin
    /// with `rpc-`. It must not be `CC` or `BCC`, because RabbitMQ routes by them. All headers together may have 16
    /// KiB.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.change("header", |draft| draft.set_header(name.into(), value.into()))
    }

    /// The priority of the request. It has an effect on queues with priorities.
    pub fn priority(self, priority: u8) -> Self {
        self.change("priority", |draft| draft.change(|call| call.priority = Some(priority)))
    }

    /// Makes the request persistent, so that it survives a restart of RabbitMQ.
    pub fn persistent(self) -> Self {
        self.change("persistent", |draft| draft.change(|call| call.persistent = true))
    }

    /// Marks the call as idempotent: running it twice has the same effect as running it once. It may then be sent
    /// again.
    pub fn idempotent(self) -> Self {
        self.change("idempotent", |draft| draft.change(|call| call.idempotent = true))
    }

    /// Sends a one-way request: no reply comes, and no error of the method either.
    ///
    /// The future resolves when the broker has accepted the request. The request has no deadline at the server unless
    /// [`timeout`](Self::timeout) or [`deadline`](Self::deadline) sets one.
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
    /// Every [`CallError`] that can occur before the method runs, and [`CallError::ChangedTooLate`] if the call was
    /// polled before.
    ///
    /// # Cancel safety
    ///
    /// The same as for the call itself: the request may have been sent.
    pub async fn send(self) -> Result<(), CallError<E>> {
        self.send_or(|error, _| error).await
    }

    /// Sends the request. `failed` makes the error from the data of the call.
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

    /// Changes a call that was not polled. A polled call may already have been sent without the change, so it is
    /// cancelled and ends with an error.
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

    /// Polls the call. `failed` makes the error from the data of the call.
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
