//! The interface between this framework and a broker.
//!
//! The modules above use messages, queues and connections. Only [`amqp`] knows AMQP, and [`memory`] is a broker in the
//! process. Both pass the same conformance suite.
//!
//! Rare operations return futures. Operations on each message are plain functions that queue the message and return. The
//! outcome is reported to the [`CallerSink`], so no call waits for the outcome of another.

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

/// The answer of a broker, or why there is none.
pub(crate) type BrokerFuture<'a, T> = BoxFuture<'a, Result<T, BrokerError>>;

/// A broker that can be connected to.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Makes one attempt to connect. It has a time limit of its own, and ends at `by` at the latest. The caller decides
    /// whether to try again.
    fn connect(&self, by: Option<Instant>) -> BrokerFuture<'_, Arc<dyn Connection>>;

    /// Whether a connection ends with the runtime that it was made on.
    fn needs_its_runtime(&self) -> bool {
        true
    }

    /// The address of the broker, without secrets.
    fn address(&self) -> String;

    /// The same broker for another user, and a connection if one can be made at once. `None` if users have to authenticate.
    fn for_user(&self, _user: &str) -> Option<OtherUser> {
        None
    }
}

/// See [`Transport::for_user`].
pub(crate) type OtherUser = (Arc<dyn Transport>, Option<Arc<dyn Connection>>);

/// One live connection. A lost connection is never repaired, but replaced by a new one.
pub(crate) trait Connection: Send + Sync + 'static {
    /// Opens what a client needs: a callback queue, and a channel to publish on.
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BrokerFuture<'_, Arc<dyn CallerChannel>>;

    /// Opens a channel that serves one queue, and starts to consume.
    fn open_worker(&self, options: WorkerOptions) -> BrokerFuture<'_, OpenWorker>;

    /// Declares a topic exchange and a new queue bound to it, and starts to consume. The queue is deleted with its channel.
    fn open_listener(&self, options: ListenerOptions) -> BrokerFuture<'_, OpenWorker>;

    /// The state of a queue; `None` if there is no such queue.
    fn queue_state<'a>(&'a self, queue: &'a str) -> BrokerFuture<'a, Option<QueueState>>;

    /// Resolves when the connection has ended, with the reason.
    fn closed(&self) -> BoxFuture<'static, BrokerError>;

    /// How many channels the connection may have; `None` if there is no limit.
    fn channels(&self) -> Option<u16> {
        None
    }

    /// Whether the broker accepts messages on the connection, and why not.
    fn blocked(&self) -> watch::Receiver<Blocked>;

    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The options of a caller's channel.
#[derive(Debug, Clone)]
pub(crate) struct CallerOptions {
    pub(crate) confirms: bool,
    pub(crate) direct_reply_to: bool,
    /// Whether each request names the user that sent it.
    pub(crate) announce_user: bool,
    /// The exchange for requests, which has to exist; empty for the default exchange.
    pub(crate) exchange: String,
    /// The largest body of a reply that is stored, in bytes.
    pub(crate) max_reply: usize,
}

impl Default for CallerOptions {
    /// The broker confirms every request. Requests go through the default exchange to the queue with the service's name, and
    /// replies arrive on a callback queue.
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

/// Receives the replies and the outcomes of requests.
pub(crate) trait CallerSink: Send + Sync + 'static {
    /// A message arrived on the callback queue.
    fn reply(&self, message: Message);

    /// A message arrived on the callback queue, but its headers are too large to be read.
    fn unreadable(&self) {}

    /// The outcome of the request with this correlation id. A transport may skip `Accepted` for a request that expects a
    /// reply, if only the callback queue can be lost.
    fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome);
}

/// What the broker did with a request.
#[derive(Debug, Clone)]
pub(crate) enum PublishOutcome {
    /// The request is in a queue.
    Accepted,
    /// No queue is bound to its destination.
    Unroutable,
    /// The queue rejected it.
    Rejected,
    /// The broker closed the channel because of this request.
    Refused(BrokerError),
    /// It was sent before the refused request. The broker has dealt with it, but its outcome is lost.
    Passed,
    /// It was sent after the refused request, so the broker has ignored it.
    Ignored,
    /// The broker closed the channel because of one request, but it is not known which one.
    Interrupted,
}

/// Publishes requests, and owns the callback queue.
pub(crate) trait CallerChannel: Send + Sync + 'static {
    /// The value for `reply_to`.
    fn callback_queue(&self) -> &SmolStr;

    /// The value for `user_id`, if requests should name their user.
    fn announced_user(&self) -> Option<&SmolStr>;

    /// Whether the broker is in this process, so that asking for the state of a queue is free.
    fn is_near(&self) -> bool {
        false
    }

    /// Queues a request. Requests are sent in the order of these calls, and their outcomes are reported to the sink.
    ///
    /// # Errors
    ///
    /// The channel has ended, and nothing was sent.
    fn publish(&self, correlation_id: Uuid, message: Message) -> Result<(), ChannelGone>;

    /// Resolves when the callback queue is lost, with the reason. Requests that have no reply yet will get none.
    fn closed(&self) -> BoxFuture<'static, BrokerError>;

    /// Resolves when nothing can be published any more, with the reason. One refused request is enough for the broker to
    /// close the channel. Replies to the other requests still arrive.
    fn exhausted(&self) -> BoxFuture<'static, BrokerError>;

    /// Resolves when the broker has rejected a request. A full queue is one reason. RabbitMQ 3.10 also rejects for ever on a
    /// channel that has published to a quorum queue without a leader, so the channel should be replaced.
    fn rejecting(&self) -> BoxFuture<'static, ()>;

    /// Opens another channel to publish on, with the same callback queue.
    fn reopen(&self) -> BrokerFuture<'_, Arc<dyn CallerChannel>>;
}

/// A message was not sent because its channel has ended.
#[derive(Debug)]
pub(crate) struct ChannelGone;

/// The options of a server's channel.
#[derive(Debug, Clone)]
pub(crate) struct WorkerOptions {
    pub(crate) queue: Queue,
    pub(crate) prefetch: u16,
    /// The topic exchange that the queue is bound to; empty for none.
    pub(crate) exchange: String,
    /// The largest body of a request that is stored, in bytes. Only the size of a larger body is stored.
    pub(crate) max_request: usize,
    /// Counts replies that reached no caller: its queue was gone, or the broker refused them.
    pub(crate) undeliverable: Arc<AtomicU64>,
    pub(crate) refused: Arc<Refused>,
}

/// Numbers of requests that were rejected before the server received them.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// Requests with a `reply_to` that RabbitMQ cannot have generated.
    pub(crate) reply_to: AtomicU64,
    /// Requests with headers that are too large to be read.
    pub(crate) headers: AtomicU64,
}

/// The options of a channel that listens to a topic exchange.
#[derive(Debug, Clone)]
pub(crate) struct ListenerOptions {
    pub(crate) exchange: String,
    /// The binding keys of its queue.
    pub(crate) keys: Vec<String>,
    pub(crate) prefetch: u16,
    /// The most messages that wait in its queue. Older ones are dropped.
    pub(crate) max_length: u32,
    /// Counts replies that reached no caller: its queue was gone, or the broker refused them.
    pub(crate) undeliverable: Arc<AtomicU64>,
}

/// The state of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueState {
    /// The number of messages that wait in the queue, without those that were delivered and not acknowledged.
    pub messages: u32,
    /// The number of consumers. Each server of the queue is one.
    pub consumers: u32,
}

/// Receives requests in batches: receiving all that are ready costs little more than receiving one.
pub(crate) trait Deliveries: Send {
    /// Moves up to `max` requests to the end of `to`, and waits if none is ready. Returns `false` and moves none if no more
    /// will arrive, because the channel has ended or consuming was stopped.
    fn poll_take(&mut self, to: &mut Vec<Delivery>, max: usize, cx: &mut Context<'_>)
    -> Poll<bool>;
}

impl dyn Deliveries {
    /// The next request; `None` if no more will arrive. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        let mut received = Vec::new();
        poll_fn(|cx| self.poll_take(&mut received, 1, cx)).await;
        received.pop()
    }
}

/// A channel that consumes, and the requests from its queue.
pub(crate) type OpenWorker = (Arc<dyn WorkerChannel>, Box<dyn Deliveries>);

/// Replies to requests and settles them.
pub(crate) trait WorkerChannel: Send + Sync + 'static {
    /// Why no more requests are delivered, if that is known.
    fn why_ended(&self) -> Option<String> {
        None
    }

    /// Publishes the reply, if there is one, and acknowledges the request after it.
    fn finish(&self, tag: u64, reply: Option<Message>);

    /// Returns a request to its queue.
    fn requeue(&self, tag: u64);

    /// Publishes the reply, if there is one, and rejects the request after it. The request goes to the dead-letter exchange
    /// of its queue, if there is one.
    fn reject(&self, tag: u64, reply: Option<Message>);

    /// Stops consuming. Requests that have arrived can still be received.
    fn stop(&self) -> BoxFuture<'_, ()>;

    /// Sends everything that is queued, and closes the channel. The broker requeues requests that are not acknowledged.
    fn close(&self) -> BoxFuture<'_, ()>;
}
