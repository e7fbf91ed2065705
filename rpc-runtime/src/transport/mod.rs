//! The seam between this framework and a broker.
//!
//! Everything above speaks of messages, queues and connections; only [`amqp`] knows AMQP, and [`memory`] is a broker in the
//! process. Both pass the same conformance suite.
//!
//! What is called once in a while is a future. What is called for each message is a plain function that queues the
//! message and returns: its outcome comes back through [`CallerSink`], so that no call waits for another's.

pub(crate) mod amqp;
#[cfg(test)]
mod conformance;
#[cfg(feature = "testing")]
pub(crate) mod faults;
#[cfg(feature = "lapin")]
pub(crate) mod lapin;
pub(crate) mod memory;
mod queue;

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, atomic::AtomicU64},
    task::{Context, Poll},
};

use smol_str::SmolStr;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

pub(crate) use queue::QueueType;
pub use queue::{Overflow, Queue, QueueArgument};
pub(crate) use rpc_amqp::{Blocked, Tls};

pub(crate) use crate::tasks::BoxFuture;
use crate::{
    error::BrokerError,
    limits,
    message::{Delivery, Message},
};

/// A broker that can be connected to.
pub(crate) trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Makes one attempt to connect, which ends by itself, and no later than `by`. The caller tries again.
    fn connect(
        &self,
        by: Option<Instant>,
    ) -> BoxFuture<'_, Result<Arc<dyn Connection>, BrokerError>>;

    /// Whether its connections end with the runtime that they were made on.
    fn needs_its_runtime(&self) -> bool {
        true
    }

    /// Where it leads, without secrets.
    fn address(&self) -> String;

    /// The same broker for another user, with a connection if there is one at once; `None` where users have to prove who
    /// they are.
    fn for_user(&self, _user: &str) -> Option<OtherUser> {
        None
    }
}

/// See [`Transport::for_user`].
pub(crate) type OtherUser = (Arc<dyn Transport>, Option<Arc<dyn Connection>>);

/// One live connection. It is never repaired: a new one takes its place.
pub(crate) trait Connection: Send + Sync + 'static {
    /// Opens what a process needs to call: a callback queue, and a channel to publish on.
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>>;

    /// Opens what a server needs to serve one queue, and starts consuming.
    fn open_worker(&self, options: WorkerOptions)
    -> BoxFuture<'_, Result<OpenWorker, BrokerError>>;

    /// Opens a queue of its own on a topic exchange, which it declares, and starts consuming. The queue is gone with its
    /// channel.
    fn open_listener(
        &self,
        options: ListenerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>>;

    /// How a queue stands; `None` if there is none.
    fn queue_state<'a>(
        &'a self,
        queue: &'a str,
    ) -> BoxFuture<'a, Result<Option<QueueState>, BrokerError>>;

    /// Resolves when the connection is gone, with the reason.
    fn closed(&self) -> BoxFuture<'static, BrokerError>;

    /// How many channels it may have; `None` where that has no bound.
    fn channels(&self) -> Option<u16> {
        None
    }

    /// Whether it takes messages, and why not.
    fn blocked(&self) -> watch::Receiver<Blocked>;

    /// Closes it.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// How a caller's channel is set up.
#[derive(Debug, Clone)]
pub(crate) struct CallerOptions {
    pub(crate) confirms: bool,
    pub(crate) direct_reply_to: bool,
    /// Each request says which user sent it.
    pub(crate) announce_user: bool,
    /// The exchange that requests go to, to be checked for existence; empty for the default one.
    pub(crate) exchange: String,
    /// The largest body of a reply that is kept, in bytes.
    pub(crate) max_reply: usize,
}

impl Default for CallerOptions {
    /// Every request is confirmed, and goes through the default exchange to a queue of the service's name; replies come
    /// to a callback queue.
    fn default() -> Self {
        Self {
            confirms: true,
            direct_reply_to: false,
            announce_user: false,
            exchange: String::new(),
            max_reply: limits::MAX_REPLY,
        }
    }
}

/// Where what happens to requests is told.
pub(crate) trait CallerSink: Send + Sync + 'static {
    /// A message on the callback queue.
    fn reply(&self, message: Message);

    /// A message on the callback queue whose headers are too large to be read.
    fn unreadable(&self) {}

    /// What became of the request with this correlation id. That one was accepted that waits for a reply may be left out
    /// where nothing but its callback queue can be lost.
    fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome);
}

/// What the broker did with a request.
#[derive(Debug, Clone)]
pub(crate) enum PublishOutcome {
    /// It is in a queue.
    Accepted,
    /// No queue is bound to where it went.
    Unroutable,
    /// The queue would not take it.
    Rejected,
    /// The broker closed the channel because of this very request.
    Refused(BrokerError),
    /// It came before one that was refused: the broker has dealt with it, and what it said of it is lost.
    Passed,
    /// It came after one that was refused: the broker has ignored it.
    Ignored,
    /// The broker closed the channel because of a request, and it is not known which one that was.
    Interrupted,
}

/// Publishes requests, and owns the callback queue.
pub(crate) trait CallerChannel: Send + Sync + 'static {
    /// What goes into `reply_to`.
    fn callback_queue(&self) -> &SmolStr;

    /// What goes into `user_id`, if requests are to say it.
    fn announced_user(&self) -> Option<&SmolStr>;

    /// Whether the broker is in this process: to ask it for the state of a queue costs nothing.
    fn is_near(&self) -> bool {
        false
    }

    /// Queues a request, in the order of the calls; what becomes of it is told to the sink.
    ///
    /// # Errors
    ///
    /// The channel is gone: nothing was sent.
    fn publish(&self, correlation_id: Uuid, message: Message) -> Result<(), ChannelGone>;

    /// Resolves when the callback queue is gone, with the reason; requests without a reply then have none to expect.
    fn closed(&self) -> BoxFuture<'static, BrokerError>;

    /// Resolves when nothing can be published any more, with the reason: the broker closes a channel for one request
    /// that it refuses. Replies to the others still come.
    fn exhausted(&self) -> BoxFuture<'static, BrokerError>;

    /// Resolves when the broker has rejected a request. A full queue is a reason; but RabbitMQ 3.10 also goes on
    /// rejecting for ever on a channel that met a quorum queue without a leader, so another is to take its place.
    fn rejecting(&self) -> BoxFuture<'static, ()>;

    /// Opens another channel that publishes, with the same callback queue.
    fn reopen(&self) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>>;
}

/// A message was not taken because its channel is gone.
#[derive(Debug)]
pub(crate) struct ChannelGone;

/// How a server's channel is set up.
#[derive(Debug, Clone)]
pub(crate) struct WorkerOptions {
    pub(crate) queue: Queue,
    pub(crate) prefetch: u16,
    /// The topic exchange to bind the queue to; empty for none.
    pub(crate) exchange: String,
    /// The largest body of a request that is kept, in bytes; of a larger one only the size is.
    pub(crate) max_request: usize,
    /// Counts replies that reached no caller: it was gone, or the broker refused them.
    pub(crate) undeliverable: Arc<AtomicU64>,
    pub(crate) refused: Arc<Refused>,
}

/// Counts requests that are rejected before a server sees them.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// For a `reply_to` that RabbitMQ cannot have made.
    pub(crate) reply_to: AtomicU64,
    /// For headers that are too large to be read.
    pub(crate) headers: AtomicU64,
}

/// How a channel is set up that listens to a topic exchange.
#[derive(Debug, Clone)]
pub(crate) struct ListenerOptions {
    pub(crate) exchange: String,
    /// What its queue is bound by.
    pub(crate) keys: Vec<String>,
    pub(crate) prefetch: u16,
    /// The most messages that wait in its queue; older ones go.
    pub(crate) max_length: u32,
    /// Counts replies that reached no caller: it was gone, or the broker refused them.
    pub(crate) undeliverable: Arc<AtomicU64>,
}

/// How a queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueState {
    /// Messages that wait in it; those that a consumer has and did not acknowledge are not counted.
    pub messages: u32,
    /// Who consumes it: each server that serves it is one.
    pub consumers: u32,
}

/// Requests as they come, in runs: to take those that are there at once costs little more than to take one.
pub(crate) trait Deliveries: Send {
    /// Moves up to `most` that are there to the end of `to`, or waits for one. Says `false`, and moves none, when no more
    /// will come: the channel is gone, or consuming was stopped.
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool>;
}

impl dyn Deliveries {
    /// The next one; `None` when no more will come. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        let mut taken = Vec::new();
        poll_fn(|cx| self.poll_take(&mut taken, 1, cx)).await;
        taken.pop()
    }
}

/// A channel that consumes, and what it consumes.
pub(crate) type OpenWorker = (Arc<dyn WorkerChannel>, Box<dyn Deliveries>);

/// Answers and acknowledges what was consumed.
pub(crate) trait WorkerChannel: Send + Sync + 'static {
    /// Why nothing more is delivered, where that is known.
    fn why_ended(&self) -> Option<String> {
        None
    }

    /// Publishes the reply, if there is one, and acknowledges the request after it.
    fn finish(&self, tag: u64, reply: Option<Message>);

    /// Gives a request back to its queue.
    fn requeue(&self, tag: u64);

    /// Publishes the reply, if there is one, and rejects the request after it: it goes to the dead-letter exchange of its
    /// queue, if there is one.
    fn reject(&self, tag: u64, reply: Option<Message>);

    /// Stops consuming. Requests that were already here can still be taken.
    fn stop(&self) -> BoxFuture<'_, ()>;

    /// Closes the channel after everything queued has left; the broker takes back what is not acknowledged.
    fn close(&self) -> BoxFuture<'_, ()>;
}
