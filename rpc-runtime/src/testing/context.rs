//! Contexts without a request, for tests of handlers.

use std::{
    sync::{Arc, LazyLock, atomic::AtomicBool},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{
    context::{Context, CorrelationId, Phase, RequestContext},
    message::Id,
    wire::{RESERVED_PREFIX, UserHeaders},
};

/// The server of these contexts. It never shuts down.
static SERVING: LazyLock<watch::Sender<Phase>> =
    LazyLock::new(|| watch::Sender::new(Phase::Serving));

/// A [`Context`] for a test that calls a handler directly, as if this method of this service had been called.
///
/// By default, the request has no caller, no headers, no deadline and no correlation id, and is not redelivered.
/// [`Context::scope`] runs the handler in the context.
///
/// ```
/// use rpc_runtime::{Context, rpc_service, testing};
///
/// #[rpc_service]
/// trait Orders {
///     async fn mine(&self) -> Result<Vec<u64>, String>;
/// }
///
/// struct Shop;
/// impl Orders for Shop {
///     async fn mine(&self) -> Result<Vec<u64>, String> {
///         let context = Context::current().ok_or("not called")?;
///         match (context.caller(), context.header("tenant")) {
///             (Some("billing"), Some("a")) => Ok(vec![7]),
///             (caller, _) => Err(format!("not for {caller:?}")),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let context = testing::context("Orders", "mine").caller("billing").header("tenant", "a").build();
/// assert_eq!(context.scope(Shop.mine()).await, Ok(vec![7]));
///
/// let somebody = testing::context("Orders", "mine").build();
/// assert!(somebody.scope(Shop.mine()).await.is_err());
/// # }
/// ```
pub fn context(service: &'static str, method: &'static str) -> ContextBuilder {
    ContextBuilder {
        service,
        method,
        caller: None,
        headers: UserHeaders::new(),
        deadline: None,
        correlation_id: None,
        redelivered: false,
        cancelled: false,
    }
}

/// Builds a context for a test: see [`testing::context`](crate::testing::context).
#[derive(Debug, Clone)]
#[must_use = "it is no context before `build`"]
pub struct ContextBuilder {
    service: &'static str,
    method: &'static str,
    caller: Option<String>,
    headers: UserHeaders,
    deadline: Option<Instant>,
    correlation_id: Option<String>,
    redelivered: bool,
    cancelled: bool,
}

impl ContextBuilder {
    /// The user that sent the request: [`Context::caller`].
    pub fn caller(mut self, user: impl Into<String>) -> Self {
        self.caller = Some(user.into());
        self
    }

    /// Adds a header. It can be called several times. Handlers do not see headers whose names begin with `rpc-`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        if !name.starts_with(RESERVED_PREFIX) {
            self.headers.push((name, value.into()));
        }
        self
    }

    /// When the caller stops waiting: [`Context::deadline`].
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the deadline, as a time from now.
    pub fn timeout(self, timeout: Duration) -> Self {
        // A deadline beyond the range of the clock means no deadline.
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.deadline(deadline),
            None => self,
        }
    }

    /// The id by which the caller recognises its reply: [`Context::correlation_id`].
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Marks the request as redelivered: [`Context::redelivered`].
    pub fn redelivered(mut self) -> Self {
        self.redelivered = true;
        self
    }

    /// The caller no longer waits: [`Context::cancelled`] resolves at once.
    pub fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }

    /// Builds the context.
    pub fn build(self) -> Context {
        let phase = if self.cancelled {
            watch::Sender::new(Phase::Over).subscribe()
        } else {
            SERVING.subscribe()
        };
        Context::new(RequestContext {
            service: self.service,
            method: self.method,
            descriptor: None,
            deadline: self.deadline,
            headers: self.headers,
            caller: self.caller.map(Into::into),
            redelivered: self.redelivered,
            correlation_id: CorrelationId::new(self.correlation_id.as_deref().map(Id::from)),
            phase: Arc::new(phase),
            started: AtomicBool::new(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn built_context_has_the_given_values() {
        let hour = Duration::from_secs(3600);
        let built = context("Orders", "place")
            .caller("billing")
            .header("tenant", "a")
            .header("rpc-timeout-ms", "1")
            .timeout(hour)
            .correlation_id("one")
            .redelivered()
            .build();
        assert_eq!((built.service(), built.method()), ("Orders", "place"));
        assert_eq!((built.caller(), built.correlation_id()), (Some("billing"), Some("one")));
        assert_eq!(built.headers().collect::<Vec<_>>(), [("tenant", "a")]);
        assert_eq!(built.deadline(), Some(Instant::now() + hour));
        assert!(built.redelivered());
        let inside = built.scope(async { Context::current().is_some() }).await;
        assert!(inside && Context::current().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled_at_the_deadline_or_on_request() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        let patient = context("Orders", "place").build();
        assert!(timeout(hour, patient.cancelled()).await.is_err());
        let hurried = context("Orders", "place").timeout(second).build();
        assert!(timeout(2 * second, hurried.cancelled()).await.is_ok());
        let given_up = context("Orders", "place").cancelled().build();
        assert!(timeout(Duration::from_millis(1), given_up.cancelled()).await.is_ok());
    }
}
