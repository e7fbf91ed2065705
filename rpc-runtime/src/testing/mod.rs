//! Tests of services and clients: the in-memory broker, paused time, and injected faults.
//!
//! This module, [`Broker::serving_with`], [`Broker::in_memory_with`] and [`BrokerBuilder::in_memory_with`] need the
//! feature `testing`, which is off by default. Enable it in the dev-dependencies, so that release builds do not
//! contain it:
//!
//! ```toml
//! [dev-dependencies]
//! rpc-runtime = { version = "0.1", features = ["testing"] }
//! ```
//!
//! * [`Broker::serving`] connects a client to an implementation in one line, without RabbitMQ.
//! * [`Faults`] loses, delays, refuses or repeats messages of such a broker, or loses its connection, at the time that
//!   the test chooses.
//! * [`Broker::as_user`] calls as a user, and [`context`] runs a handler as if a user had called it.
//! * With tokio's paused time (`#[tokio::test(start_paused = true)]`, tokio's feature `test-util`), a deadline of ten
//!   seconds passes at once, and all timers fire in the same order in each run. Deadlines, the expiry of requests in a
//!   queue, delays, pauses between attempts and retries, the grace period of a shutdown, circuit breakers and caches
//!   all use tokio's clock.
//!
//! ```
//! use std::time::Duration;
//!
//! use rpc_runtime::{Broker, CallError, rpc_service, testing::Faults};
//!
//! #[rpc_service]
//! trait Payments {
//!     async fn charge(&self, cents: u32) -> u32;
//! }
//!
//! struct Bank;
//! impl Payments for Bank {
//!     async fn charge(&self, cents: u32) -> u32 {
//!         cents
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let faults = Faults::new();
//! let client = PaymentsClient::new(&Broker::serving_with(PaymentsServer::new(Bank), &faults));
//!
//! faults.method("charge").drop_replies(1);
//! // The method has run, and the caller does not know it.
//! let ended = client.charge(100).timeout(Duration::from_secs(3600)).await;
//! assert!(matches!(ended, Err(CallError::DeadlineExceeded { may_have_run: true })));
//! assert_eq!(client.charge(100).await.unwrap(), 100);
//! # }
//! ```
//!
//! [`Broker::serving`]: crate::Broker::serving
//! [`Broker::serving_with`]: crate::Broker::serving_with
//! [`Broker::in_memory_with`]: crate::Broker::in_memory_with
//! [`BrokerBuilder::in_memory_with`]: crate::BrokerBuilder::in_memory_with
//! [`Broker::as_user`]: crate::Broker::as_user

mod context;

use std::{fmt, sync::Arc, time::Duration};

pub use self::context::{ContextBuilder, context};
use crate::transport::faults::{Fault, Injected, Selection, Way};

/// Injects faults into in-memory brokers.
///
/// It is a handle, and cheap to clone. A test keeps one and passes it to [`Broker::in_memory_with`],
/// [`Broker::serving_with`] or [`BrokerBuilder::in_memory_with`](crate::BrokerBuilder::in_memory_with). Each fault
/// that the test then adds affects the messages and the connection of these brokers. At first there are no faults.
///
/// A fault with a number affects that many of the next matching messages, and numbers add up. A message has at most
/// one such fault: the one that was added first. Delays stay until they are changed. [`method`](Self::method) and
/// [`queue`](Self::queue) limit a handle to some requests and their replies.
///
/// Messages of [`discovery`](crate::discovery) are not affected, except by a lost connection.
///
/// [`Broker::in_memory_with`]: crate::Broker::in_memory_with
/// [`Broker::serving_with`]: crate::Broker::serving_with
#[derive(Clone, Default)]
pub struct Faults {
    injected: Arc<Injected>,
    selection: Selection,
}

impl Faults {
    /// Starts without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the handle to requests of this method, and their replies. Use the method's name on the wire, which is
    /// its name in the trait unless the trait sets another one.
    #[must_use = "the handle that it was called on still is for all methods"]
    pub fn method(&self, name: impl Into<String>) -> Self {
        let mut narrowed = self.clone();
        narrowed.selection.method = Some(name.into().into());
        narrowed
    }

    /// Limits the handle to requests to this queue, and their replies. A queue has the name of its service, unless the
    /// service sets another one.
    #[must_use = "the handle that it was called on still is for all queues"]
    pub fn queue(&self, name: impl Into<String>) -> Self {
        let mut narrowed = self.clone();
        narrowed.selection.queue = Some(name.into().into());
        narrowed
    }

    /// Drops the next replies. Their methods have run. Their calls end at their deadlines, with
    /// [`may_have_run`](crate::CallError::may_have_run).
    pub fn drop_replies(&self, replies: usize) {
        self.add(Fault::DropReply, replies);
    }

    /// Delivers the next replies twice. The client drops the second one, and counts it in
    /// [`Broker::unclaimed_replies`](crate::Broker::unclaimed_replies).
    pub fn duplicate_replies(&self, replies: usize) {
        self.add(Fault::DuplicateReply, replies);
    }

    /// The broker accepts the next requests and loses them. Their methods do not run. Callers cannot distinguish this
    /// from a lost reply. One-way calls succeed.
    pub fn drop_requests(&self, requests: usize) {
        self.add(Fault::DropRequest, requests);
    }

    /// Returns the next requests, as if the queue did not exist. Their calls end with
    /// [`NoServer`](crate::CallError::NoServer).
    pub fn return_requests(&self, requests: usize) {
        self.add(Fault::ReturnRequest, requests);
    }

    /// Rejects the next requests, as if their queue was full. Their calls end as refused, with the kind
    /// [`Overloaded`](crate::FaultKind::Overloaded), unless they are idempotent and are sent again in time.
    pub fn reject_requests(&self, requests: usize) {
        self.add(Fault::RejectRequest, requests);
    }

    /// Delivers the next requests again after they were handled, as if the server had died before it could reply.
    /// Their methods run a second time, with [`Context::redelivered`](crate::Context::redelivered), and the caller
    /// gets the second reply. Methods that are `at_most_once` do not run again.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, rpc_service, testing::Faults};
    /// # use std::sync::atomic::{AtomicU32, Ordering};
    /// # #[rpc_service]
    /// # trait Counter { async fn count(&self) -> u32; }
    /// # #[derive(Default)]
    /// # struct Counting(AtomicU32);
    /// # impl Counter for Counting {
    /// #     async fn count(&self) -> u32 { self.0.fetch_add(1, Ordering::Relaxed) + 1 }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let faults = Faults::new();
    /// let client = CounterClient::new(&Broker::serving_with(CounterServer::new(Counting::default()), &faults));
    ///
    /// faults.redeliver_requests(1);
    /// assert_eq!(client.count().await.unwrap(), 2, "it has counted twice");
    /// # }
    /// ```
    pub fn redeliver_requests(&self, requests: usize) {
        self.add(Fault::RedeliverRequest, requests);
    }

    /// Delays requests on their way to the broker by this time, on tokio's clock, from now on. Zero ends the delay. If
    /// several delays apply to a request, the longest one is used.
    ///
    /// Requests with the same delay stay in order. At most 10,000 messages of a connection can be delayed at a time.
    /// Above that, requests are rejected and replies are lost. The expiry of a request starts when it reaches the
    /// queue.
    pub fn delay_requests(&self, delay: Duration) {
        self.injected.rules().delay(self.selection.clone(), Way::There, delay);
    }

    /// Delays replies on their way to the callers by this time, on tokio's clock, from now on. Apart from that, it
    /// works like [`delay_requests`](Self::delay_requests).
    pub fn delay_replies(&self, delay: Duration) {
        self.injected.rules().delay(self.selection.clone(), Way::Back, delay);
    }

    /// Loses the connection of clients and servers, even if this handle is limited to a method or a queue. Calls in
    /// flight end with [`ConnectionLost`](crate::CallError::ConnectionLost), or are sent again if they are idempotent.
    /// Requests without a reply go back to their queues, and are delivered again. The next connection is made at once.
    /// If the lost one was less than a second old, there is a pause first, which begins with 50 to 100 milliseconds.
    ///
    /// Tasks notice the loss when they run next, and not before the next `await`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use rpc_runtime::{Broker, BrokerStatus, testing::Faults};
    ///
    /// let faults = Faults::new();
    /// let broker = Broker::in_memory_with(&faults);
    /// let mut changes = broker.status_changes();
    /// assert!(matches!(changes.next().await, Some(BrokerStatus::Connected)));
    ///
    /// faults.lose_connection();
    /// assert!(matches!(changes.next().await, Some(BrokerStatus::Connecting)));
    /// assert!(matches!(changes.next().await, Some(BrokerStatus::Connected)));
    /// # }
    /// ```
    pub fn lose_connection(&self) {
        self.injected.lose_connections();
    }

    /// Refuses new connections until [`accept_connections`](Self::accept_connections). An existing connection stays.
    /// To simulate an outage, refuse first and then [lose](Self::lose_connection) the connection.
    pub fn refuse_connections(&self) {
        self.injected.refuse(true);
    }

    /// Accepts connections again. The next attempt follows after a pause of up to 5 seconds, on tokio's clock.
    pub fn accept_connections(&self) {
        self.injected.refuse(false);
    }

    /// How many faults with a number have not happened yet, over all methods and queues. Zero after the test has met
    /// all its faults.
    pub fn remaining(&self) -> usize {
        self.injected.rules().left()
    }

    /// Removes all faults, for all methods and queues, and accepts connections. Messages that are already delayed stay
    /// delayed.
    pub fn clear(&self) {
        self.injected.clear();
    }

    pub(crate) fn injected(&self) -> &Arc<Injected> {
        &self.injected
    }

    fn add(&self, fault: Fault, times: usize) {
        self.injected.rules().add(self.selection.clone(), fault, times);
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("remaining", &self.remaining())
            .field("refusing_connections", &self.injected.is_refusing())
            .field("method", &self.selection.method)
            .field("queue", &self.selection.queue)
            .finish()
    }
}
