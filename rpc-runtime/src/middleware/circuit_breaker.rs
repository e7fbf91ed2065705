//! Not calling, for a while, a service that does not answer.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    BoxError, Reply, Request,
    answering::Answering,
    circuit::{Attempt, Circuit},
};
use crate::{causes::debug_as_sentence, limits, lock::lock};

/// A layer for clients: after some failures in a row, calls of that service fail at once for a while. Then one of them
/// is let through: if it gets an answer the others follow, if not they wait again.
///
/// Only what speaks of the server counts as a failure: there is none, it did not answer in time, or it has no room. Any
/// other answer shows that it is there, a method's own error and a panic included. What ends here (a lost connection, a
/// layer below) says nothing of it. Each queue has a circuit of its own, so one breaker does for all clients of a
/// [`Broker`](crate::Broker::layer). A time limit counts if it is the call's own or below this layer: one above it drops
/// the call before it has ended.
///
/// ```
/// use std::time::Duration;
///
/// use rpc_runtime::{
///     Broker, CallError,
///     middleware::{CircuitBreaker, CircuitOpen},
///     rpc_service,
/// };
///
/// #[rpc_service]
/// trait Oracle {
///     async fn ask(&self) -> String;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let breaker = CircuitBreaker::new().failures(2).pause(Duration::from_secs(5));
/// let client = OracleClient::new(&Broker::in_memory().layer(breaker));
///
/// assert!(matches!(client.ask().await, Err(CallError::NoServer)));
/// assert!(matches!(client.ask().await, Err(CallError::NoServer)));
/// match client.ask().await {
///     Err(CallError::Layer(error)) => {
///         let open = error.downcast_ref::<CircuitOpen>().unwrap();
///         assert!(open.retry_after() <= Duration::from_secs(5));
///     }
///     other => panic!("{other:?}"),
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is added"]
pub struct CircuitBreaker {
    failures: u32,
    pause: Duration,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { failures: limits::CIRCUIT_FAILURES, pause: limits::CIRCUIT_PAUSE }
    }
}

impl CircuitBreaker {
    /// Opens after 5 failures in a row, for 10 seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many failures in a row open a circuit; at least 1, by default 5.
    pub fn failures(mut self, in_a_row: u32) -> Self {
        self.failures = in_a_row.max(1);
        self
    }

    /// How long a circuit stays open before a call is let through again; by default 10 seconds, at most a day.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause.min(Duration::from_secs(24 * 60 * 60));
        self
    }
}

/// A call was not made, because those before it failed: the error of [`CircuitBreaker`], in
/// [`CallError::Layer`](crate::CallError::Layer). The same call may succeed later.
#[derive(Clone)]
pub struct CircuitOpen {
    pub(super) queue: String,
    pub(super) retry_after: Duration,
}

impl CircuitOpen {
    /// How long it takes until a call is let through again; zero while the outcome of one is waited for.
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "calls through the queue {:?} failed just now, and none is made for a while",
            self.queue
        )
    }
}

impl Error for CircuitOpen {}

debug_as_sentence!(CircuitOpen);

impl<S> Layer<S> for CircuitBreaker {
    type Service = Breaking<S>;

    fn layer(&self, below: S) -> Breaking<S> {
        Breaking { below, breaker: self.clone(), circuits: Arc::default() }
    }
}

/// The service of [`CircuitBreaker`].
#[derive(Debug, Clone)]
pub struct Breaking<S> {
    below: S,
    breaker: CircuitBreaker,
    /// By queue.
    circuits: Arc<Mutex<HashMap<String, Arc<Circuit>>>>,
}

impl<S> Breaking<S> {
    fn circuit(&self, queue: &str, service: &'static str) -> Arc<Circuit> {
        let mut circuits = lock(&self.circuits);
        if let Some(known) = circuits.get(queue) {
            return known.clone();
        }
        let circuit = Arc::new(Circuit::new(self.breaker.failures, self.breaker.pause, service));
        circuits.insert(queue.to_owned(), circuit.clone());
        circuit
    }
}

impl<S> Service<Request> for Breaking<S>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
{
    type Response = Reply;
    type Error = BoxError;
    type Future = Answering<S::Future, Attempt>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.below.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let queue = request.destination();
        let deadline = request.deadline();
        let (service, _) = request.labels();
        match Circuit::enter(&self.circuit(queue, service), Instant::now(), deadline) {
            Ok(attempt) => Answering::below(self.below.call(request), attempt),
            Err(retry_after) => {
                let open = CircuitOpen { queue: queue.to_owned(), retry_after };
                Answering::itself(Err(open.into()))
            }
        }
    }
}
