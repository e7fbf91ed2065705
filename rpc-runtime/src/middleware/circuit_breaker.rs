//! Stops calls of a service that does not respond, for a while.

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

/// A layer for clients. After several consecutive failures, calls of that service fail at once for a while. Then one
/// trial call is sent. If it gets a reply, the circuit closes. If not, calls fail at once again.
///
/// Only outcomes that show a problem with the server count as failures: there is no server, it did not reply in time,
/// or it is overloaded. Any other reply shows that the server works, including a method's own error and a panic.
/// Errors on the client's side (a lost connection, a layer below) do not count. Each queue has its own circuit, so one
/// breaker is enough for all clients of a [`Broker`](crate::Broker::layer). A timeout counts if it is the call's own
/// or in a layer below. A timeout in a layer above drops the call before its outcome is known.
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

    /// How many consecutive failures open a circuit. At least 1, by default 5.
    pub fn failures(mut self, in_a_row: u32) -> Self {
        self.failures = in_a_row.max(1);
        self
    }

    /// How long a circuit stays open before a trial call is sent. By default 10 seconds, at most a day.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause.min(Duration::from_secs(24 * 60 * 60));
        self
    }
}

/// A call was not sent because earlier calls failed: the error of [`CircuitBreaker`], in
/// [`CallError::Layer`](crate::CallError::Layer). The same call may succeed later.
#[derive(Clone)]
pub struct CircuitOpen {
    pub(super) queue: String,
    pub(super) retry_after: Duration,
}

impl CircuitOpen {
    /// The time until the next trial call. Zero while a trial call is in flight.
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
    /// The circuits by queue.
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
