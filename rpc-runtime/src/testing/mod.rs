//! Testing what is built on services: the broker in the process, time that passes at once, and faults on purpose.
//!
//! This module, [`Broker::serving_with`], [`Broker::in_memory_with`] and [`BrokerBuilder::in_memory_with`] take the feature
//! `testing`, which is off by default. A program names it in its dev-dependencies, so that its release does without:
//!
//! ```toml
//! [dev-dependencies]
//! rpc-runtime = { version = "0.1", features = ["testing"] }
//! ```
//!
//! * [`Broker::serving`] gives a client an implementation in one line, without RabbitMQ.
//! * With [`Faults`], messages on such a broker are lost, held up, refused or delivered twice, and the connection is lost,
//!   when the test says so.
//! * [`Broker::as_user`] calls as a user, and [`context`] runs a handler as though a user had called it.
//! * With tokio's paused time (`#[tokio::test(start_paused = true)]`, tokio's feature `test-util`), a deadline of ten seconds
//!   passes in no time, and always in the same order: deadlines, the expiry of requests in a queue, delays, pauses between
//!   attempts and retries, the grace period of a shutdown, circuit breakers and caches all follow tokio's clock.
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
//! // The money is gone, and the caller does not know.
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

/// Faults that a test injects into brokers in the process.
///
/// It is a handle, and cheap to clone: a test keeps one and gives it to [`Broker::in_memory_with`],
/// [`Broker::serving_with`] or [`BrokerBuilder::in_memory_with`](crate::BrokerBuilder::in_memory_with). What it is told from then on happens to the messages and the connection of those brokers; at
/// first nothing does.
///
/// What has a number happens so many times, to the next messages that are concerned, and adds up. A message has at most one
/// such fault: the one that was asked for first. Delays hold until they are set anew. [`method`](Self::method) and
/// [`queue`](Self::queue) narrow a handle to some requests and their replies.
///
/// Questions and answers of [`discovery`](crate::discovery) are let through, as long as the connection is there.
///
/// [`Broker::in_memory_with`]: crate::Broker::in_memory_with
/// [`Broker::serving_with`]: crate::Broker::serving_with
#[derive(Clone, Default)]
pub struct Faults {
    injected: Arc<Injected>,
    selection: Selection,
}

impl Faults {
    /// No faults, for now.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for requests of this method alone, and their replies. A method is named as on the wire, which is as in the
    /// trait unless the trait says otherwise.
    #[must_use = "the handle that it was called on still is for all methods"]
    pub fn method(&self, name: impl Into<String>) -> Self {
        let mut narrowed = self.clone();
        narrowed.selection.method = Some(name.into().into());
        narrowed
    }

    /// The same for requests to this queue alone, and their replies. A queue is named as its service, unless the service
    /// says otherwise.
    #[must_use = "the handle that it was called on still is for all queues"]
    pub fn queue(&self, name: impl Into<String>) -> Self {
        let mut narrowed = self.clone();
        narrowed.selection.queue = Some(name.into().into());
        narrowed
    }

    /// The next replies do not arrive. Their methods have run; their calls end by their deadlines, with
    /// [`may_have_run`](crate::CallError::may_have_run).
    pub fn drop_replies(&self, replies: usize) {
        self.add(Fault::DropReply, replies);
    }

    /// The next replies arrive twice. The second is dropped by the client, and counted in
    /// [`Broker::unclaimed_replies`](crate::Broker::unclaimed_replies).
    pub fn duplicate_replies(&self, replies: usize) {
        self.add(Fault::DuplicateReply, replies);
    }

    /// The broker takes the next requests and loses them. Their methods do not run, which nobody can know: to their callers
    /// it is the same as a lost reply. One-way calls succeed.
    pub fn drop_requests(&self, requests: usize) {
        self.add(Fault::DropRequest, requests);
    }

    /// The next requests come back as though there was no such queue: their calls end with
    /// [`NoServer`](crate::CallError::NoServer).
    pub fn return_requests(&self, requests: usize) {
        self.add(Fault::ReturnRequest, requests);
    }

    /// The next requests are rejected as though their queue was full: their calls end as refused, with the kind
    /// [`Overloaded`](crate::FaultKind::Overloaded), unless they are idempotent and are sent again in time.
    pub fn reject_requests(&self, requests: usize) {
        self.add(Fault::RejectRequest, requests);
    }

    /// The next requests are delivered again after they were dealt with, as though the server had died before it could
    /// answer. Their methods run a second time, with [`Context::redelivered`](crate::Context::redelivered), and the answer is
    /// that of the second time; those that are `at_most_once` do not run again.
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

    /// From now on requests take this long to the broker, by tokio's clock. Zero ends that. Where several delays are for a
    /// request, the longest counts.
    ///
    /// Requests that take equally long stay in order. At most 10,000 messages of a connection are on their way; a request
    /// more is rejected, a reply more is lost. A request expires in a queue only once it is there.
    pub fn delay_requests(&self, delay: Duration) {
        self.injected.rules().delay(self.selection.clone(), Way::There, delay);
    }

    /// From now on replies take this long to their callers, by tokio's clock; otherwise as
    /// [`delay_requests`](Self::delay_requests).
    pub fn delay_replies(&self, delay: Duration) {
        self.injected.rules().delay(self.selection.clone(), Way::Back, delay);
    }

    /// Loses the connection, of clients and servers alike, whatever this handle was narrowed to. Calls in flight end with
    /// [`ConnectionLost`](crate::CallError::ConnectionLost), or are sent again if they are idempotent; requests that were not
    /// answered go back to their queues, and are delivered again. The next connection is made at once, or after a pause
    /// that begins with 50 to 100 milliseconds if this one was not a second old.
    ///
    /// Everybody takes notice as soon as their tasks run: not before the next `await`.
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

    /// From now on no connection can be made, until [`accept_connections`](Self::accept_connections). One that is there
    /// stays; for an outage, refuse first and then [lose](Self::lose_connection).
    pub fn refuse_connections(&self) {
        self.injected.refuse(true);
    }

    /// Connections can be made again. The next attempt comes after a pause of up to 5 seconds by tokio's clock.
    pub fn accept_connections(&self) {
        self.injected.refuse(false);
    }

    /// How many of the faults that have a number have not happened yet, over all methods and queues: zero, once a test has
    /// met all that it asked for.
    pub fn remaining(&self) -> usize {
        self.injected.rules().left()
    }

    /// Forgets what it was told, for all methods and queues, and accepts connections. What is held up stays so until it is
    /// due.
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
