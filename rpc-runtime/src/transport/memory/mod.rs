//! A broker in the process, for demos, doctests and users' unit tests.
//!
//! It behaves like RabbitMQ in everything that this framework uses, and passes the same conformance suite.

mod broker;
mod consumer;
mod queue;
mod topic;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use smol_str::{SmolStr, format_smolstr};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use self::broker::MemoryBroker;
use super::{
    Blocked, BoxFuture, BrokerFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone,
    Connection, ListenerOptions, Message, OpenWorker, OtherUser, PublishOutcome, Queue, QueueState,
    Transport, WorkerChannel, WorkerOptions,
};
use crate::error::{BrokerError, BrokerErrorKind};

/// All clones connect to the same broker.
#[derive(Clone, Default)]
pub(crate) struct MemoryTransport {
    broker: Arc<MemoryBroker>,
    /// The user of the connections; `None` means `guest`.
    user: Option<SmolStr>,
}

impl MemoryTransport {
    /// Makes a connection, at once.
    pub(crate) fn connection(&self) -> Arc<dyn Connection> {
        Arc::new(MemoryConnection {
            broker: self.broker.clone(),
            user: self.user.clone().unwrap_or(GUEST),
            id: self.broker.next_id(),
            open: watch::Sender::new(true),
        })
    }
}

impl Transport for MemoryTransport {
    fn connect(&self, _: Option<Instant>) -> BrokerFuture<'_, Arc<dyn Connection>> {
        let connection = self.connection();
        Box::pin(async { Ok(connection) })
    }

    fn needs_its_runtime(&self) -> bool {
        false
    }

    fn address(&self) -> String {
        "the in-memory broker".to_owned()
    }

    fn for_user(&self, user: &str) -> Option<OtherUser> {
        let transport = Self { broker: self.broker.clone(), user: Some(user.into()) };
        let connection = transport.connection();
        Some((Arc::new(transport), Some(connection)))
    }
}

struct MemoryConnection {
    broker: Arc<MemoryBroker>,
    user: SmolStr,
    id: u64,
    open: watch::Sender<bool>,
}

impl MemoryConnection {
    fn consume(
        &self,
        queue: &str,
        prefetch: u16,
        undeliverable: Arc<AtomicU64>,
    ) -> Result<OpenWorker, BrokerError> {
        let (consumer, deliveries) = self.broker.consume(self.id, queue, prefetch)?;
        let (broker, queue) = (self.broker.clone(), queue.into());
        let worker = MemoryWorker { broker, queue, consumer, undeliverable };
        Ok((Arc::new(worker), Box::new(deliveries)))
    }

    fn disconnect(&self) {
        self.open.send_replace(false);
        self.broker.disconnect(self.id);
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        self.disconnect();
    }
}

fn when_closed(mut open: watch::Receiver<bool>) -> BoxFuture<'static, BrokerError> {
    Box::pin(async move {
        // An error means that the connection was dropped, which has the same effect.
        let _ = open.wait_for(|open| !open).await;
        BrokerError::new(BrokerErrorKind::ConnectionLost, "the connection was closed")
    })
}

impl Connection for MemoryConnection {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async move {
            self.broker.check_exchange(&options.exchange)?;
            let kind = if options.direct_reply_to { "amq.rabbitmq.reply-to." } else { "amq.gen-" };
            let callback_queue = format_smolstr!("{kind}{}", self.broker.next_id());
            self.broker.add_callback(self.id, &callback_queue, sink.clone());
            let mut open = self.open.subscribe();
            if !*open.borrow() {
                open.mark_changed();
            }
            let caller = MemoryCaller {
                announced_user: options.announce_user.then(|| self.user.clone()),
                broker: self.broker.clone(),
                callback_queue,
                confirms: options.confirms,
                sink,
                open,
            };
            Ok(Arc::new(caller) as Arc<dyn CallerChannel>)
        })
    }

    fn open_worker(&self, options: WorkerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async move {
            self.broker.declare(&options.queue, &options.exchange)?;
            self.consume(options.queue.name(), options.prefetch, options.undeliverable)
        })
    }

    fn open_listener(&self, options: ListenerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async move {
            let name = format!("amq.gen-{}", Uuid::new_v4().simple());
            let queue = Queue::named(&name).max_length(options.max_length);
            self.broker.declare_listener(queue, &options.exchange, &options.keys);
            self.consume(&name, options.prefetch, options.undeliverable)
        })
    }

    fn queue_state<'a>(&'a self, queue: &'a str) -> BrokerFuture<'a, Option<QueueState>> {
        Box::pin(async { Ok(self.broker.queue_state(queue)) })
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_closed(self.open.subscribe())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        // The value never changes, so its sender may be dropped.
        watch::channel(Blocked::default()).1
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.disconnect();
        Box::pin(async {})
    }
}

/// The default user, as in a new RabbitMQ.
const GUEST: SmolStr = SmolStr::new_static("guest");

struct MemoryCaller {
    announced_user: Option<SmolStr>,
    broker: Arc<MemoryBroker>,
    callback_queue: SmolStr,
    /// Whether the caller learns that a queue would not take a request.
    confirms: bool,
    sink: Arc<dyn CallerSink>,
    open: watch::Receiver<bool>,
}

impl CallerChannel for MemoryCaller {
    fn callback_queue(&self) -> &SmolStr {
        &self.callback_queue
    }

    fn announced_user(&self) -> Option<&SmolStr> {
        self.announced_user.as_ref()
    }

    fn is_near(&self) -> bool {
        true
    }

    fn publish(&self, correlation_id: Uuid, message: Message) -> Result<(), ChannelGone> {
        // The value changes only once.
        if self.open.has_changed().unwrap_or(true) {
            return Err(ChannelGone);
        }
        let outcome = self.broker.publish(message);
        if !self.confirms {
            // It counts as accepted once it is sent, and what no queue takes comes back after that.
            self.sink.settled(correlation_id, PublishOutcome::Accepted);
            if !matches!(outcome, PublishOutcome::Unroutable) {
                return Ok(());
            }
        }
        self.sink.settled(correlation_id, outcome);
        Ok(())
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_closed(self.open.clone())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        when_closed(self.open.clone())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn reopen(&self) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        // The channel only ends with its connection.
        let closed = when_closed(self.open.clone());
        Box::pin(async { Err(closed.await) })
    }
}

impl Drop for MemoryCaller {
    fn drop(&mut self) {
        self.broker.remove_callback(&self.callback_queue);
    }
}

struct MemoryWorker {
    broker: Arc<MemoryBroker>,
    queue: SmolStr,
    consumer: u64,
    undeliverable: Arc<AtomicU64>,
}

impl WorkerChannel for MemoryWorker {
    fn finish(&self, tag: u64, reply: Option<Message>) {
        if let Some(reply) = reply {
            let mandatory = reply.mandatory;
            if matches!(self.broker.publish(reply), PublishOutcome::Unroutable) && mandatory {
                self.undeliverable.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.broker.change(&self.queue, |queue| queue.acknowledge(self.consumer, tag));
    }

    fn requeue(&self, tag: u64) {
        self.broker.change(&self.queue, |queue| queue.requeue(self.consumer, tag));
    }

    fn reject(&self, tag: u64, reply: Option<Message>) {
        // The broker in the process has no dead-letter exchanges.
        self.finish(tag, reply);
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.broker.change(&self.queue, |queue| queue.stop(self.consumer));
        Box::pin(async {})
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.broker.remove_consumer(&self.queue, self.consumer);
        Box::pin(async {})
    }
}

impl Drop for MemoryWorker {
    fn drop(&mut self) {
        self.broker.remove_consumer(&self.queue, self.consumer);
    }
}
