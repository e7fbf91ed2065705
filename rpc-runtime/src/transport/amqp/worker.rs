//! The channel of one consumer: receives requests, and sends replies and acknowledgements.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use rpc_amqp::{ChannelHandler, Error};
use smol_str::SmolStr;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tracing::{debug, warn};

use super::{
    CLOSE_WITHIN, direct_reply_to,
    driver::{Driver, DriverBatch, DriverChannel, DriverConnection, DriverWriter},
    error,
    outbox::{Outboxes, UnconfirmedReply, Unsettled},
    topology,
};
use crate::{
    error::BrokerError,
    limits,
    lock::lock,
    message::{Delivery, Message, Properties},
    throttle::Throttle,
    transport::{
        BoxFuture, Deliveries, ListenerOptions, OpenWorker, Refused, WorkerChannel, WorkerOptions,
    },
};

struct AmqpWorker<D: Driver> {
    channel: D::Channel,
    requests: Arc<Requests<D::Writer>>,
    outboxes: Arc<Outboxes>,
    /// When a reply was last sent on the channel, as a [`Proven::tick`](super::proven::Proven::tick).
    used: AtomicU64,
    /// The consumer tag.
    consumer: SmolStr,
}

/// Receives requests, and has the writer for their replies.
struct Requests<W> {
    writer: Arc<W>,
    /// `None` once no more requests arrive. The prefetch bounds the channel.
    deliveries: Mutex<Option<mpsc::UnboundedSender<Delivery>>>,
    outboxes: Arc<Outboxes>,
    consumed: Consumed,
    warned: Throttle,
    /// Why no more requests are delivered.
    why_ended: OnceLock<String>,
}

/// The queue that is consumed, its limit, and its counters.
struct Consumed {
    queue: SmolStr,
    max_body: usize,
    undeliverable: Arc<AtomicU64>,
    refused: Arc<Refused>,
}

/// Receives the requests that the broker delivers.
type Receiver = mpsc::UnboundedReceiver<Delivery>;

impl<W: DriverWriter> Requests<W> {
    fn new(writer: Arc<W>, outboxes: Arc<Outboxes>, consumed: Consumed) -> Arc<Self> {
        let (deliveries, warned) = (Mutex::default(), Throttle::default());
        let why_ended = OnceLock::new();
        Arc::new(Self { writer, deliveries, outboxes, consumed, warned, why_ended })
    }

    /// Rejects a request that no server should receive.
    fn reject(&self, tag: u64) {
        let _ = self.writer.write(|out| out.reject(tag, false));
    }

    fn deliveries(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<Delivery>>> {
        lock(&self.deliveries)
    }

    fn start(&self) -> Receiver {
        let (deliveries, receiver) = mpsc::unbounded_channel();
        *self.deliveries() = Some(deliveries);
        receiver
    }

    fn stop(&self) {
        self.deliveries().take();
    }
}

impl<W: DriverWriter> ChannelHandler for Requests<W> {
    fn delivered(&self, delivery: Delivery) {
        if let Some(reply_to) = &delivery.properties.reply_to
            && direct_reply_to::is_direct(reply_to)
            && !direct_reply_to::may_be_genuine(reply_to)
        {
            self.consumed.refused.reply_to.fetch_add(1, Ordering::Relaxed);
            if let Some(left_out) = self.warned.pass() {
                warn!(
                    queue = &*self.consumed.queue,
                    ?reply_to,
                    left_out,
                    "rejected a request: its reply_to is no address that RabbitMQ has made"
                );
            }
            if delivery.properties.was_dead_lettered() {
                // If dead letters are routed back to this queue, rejecting the request would loop for ever.
                let _ = self.writer.write(|out| out.ack(delivery.tag));
            } else {
                self.reject(delivery.tag);
            }
            return;
        }
        if let Some(deliveries) = &*self.deliveries() {
            // If the worker was dropped, the broker requeues the request when the channel closes.
            let _ = deliveries.send(delivery);
        }
    }

    fn unreadable(&self, tag: u64, size: usize) {
        self.consumed.refused.headers.fetch_add(1, Ordering::Relaxed);
        if let Some(left_out) = self.warned.pass() {
            warn!(
                queue = &*self.consumed.queue,
                size, left_out, "rejected a request: its headers are too large to be read"
            );
        }
        self.reject(tag);
    }

    fn max_body(&self) -> usize {
        self.consumed.max_body
    }

    fn returned(&self, _: Properties) {
        self.consumed.undeliverable.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, why: Error) {
        if let Error::ChannelClosed(refusal) = &why {
            // A reply may be the cause, so all replies need proof again.
            self.outboxes.proven.forget();
            warn!(
                queue = &*self.consumed.queue,
                reason = ?refusal.text,
                "the broker closed the channel that requests are consumed on"
            );
        } else {
            debug!(?why, "stopped consuming");
        }
        let _ = self.why_ended.set(format!("its channel ended: {}", error::ended(why).whole()));
        self.stop();
    }

    fn cancelled(&self) {
        debug!("stopped consuming: the queue was deleted");
        let why = "RabbitMQ cancelled the consumer, as it does when the queue is deleted";
        let _ = self.why_ended.set(why.to_owned());
        self.stop();
    }
}

pub(super) async fn open<D: Driver>(
    connection: &D::Connection,
    options: WorkerOptions,
    outboxes: Arc<Outboxes>,
) -> Result<OpenWorker, BrokerError> {
    let name = options.queue.name();
    let opening = |why| error::during(&format!("opening a channel for the queue {name:?}"), why);
    let channel = connection.open_channel().await.map_err(opening)?;
    topology::declare_service(&channel, &options.queue, &options.exchange).await?;
    let consumed = Consumed {
        queue: name.into(),
        max_body: options.max_request,
        undeliverable: options.undeliverable,
        refused: options.refused,
    };
    consume::<D>(channel, options.prefetch, outboxes, consumed).await
}

pub(super) async fn listen<D: Driver>(
    connection: &D::Connection,
    options: ListenerOptions,
    outboxes: Arc<Outboxes>,
) -> Result<OpenWorker, BrokerError> {
    let exchange = &options.exchange;
    let opening = |why| error::during(&format!("opening a channel to listen to {exchange:?}"), why);
    let channel = connection.open_channel().await.map_err(opening)?;
    let queue = topology::declare_listener(&channel, &options).await?;
    let consumed = Consumed {
        queue,
        max_body: limits::MAX_QUESTION,
        undeliverable: options.undeliverable,
        refused: Arc::default(),
    };
    consume::<D>(channel, options.prefetch, outboxes, consumed).await
}

/// Consumes a queue.
async fn consume<D: Driver>(
    channel: D::Channel,
    prefetch: u16,
    outboxes: Arc<Outboxes>,
    consumed: Consumed,
) -> Result<OpenWorker, BrokerError> {
    let queue = consumed.queue.clone();
    let consuming = |why| error::during(&format!("consuming the queue {queue:?}"), why);
    channel.set_prefetch(prefetch).await.map_err(consuming)?;
    let requests = Requests::new(channel.writer().clone(), outboxes.clone(), consumed);
    let receiver = requests.start();
    channel.set_handler(requests.clone());
    let name = channel.consume(&queue, true).await.map_err(consuming)?;
    let worker =
        AmqpWorker::<D> { channel, requests, outboxes, used: AtomicU64::new(0), consumer: name };
    Ok((Arc::new(worker), Box::new(receiver)))
}

impl Deliveries for Receiver {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        max: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        self.poll_recv_many(cx, to, max).map(|received| received > 0)
    }
}

impl<D: Driver> AmqpWorker<D> {
    /// Whether a reply can be sent on the channel of the requests, because the broker will not refuse it.
    fn is_safe(&self, reply: &Message) -> bool {
        let proven = &self.outboxes.proven;
        let (now, used) = (proven.tick(Instant::now()), self.used.load(Ordering::Relaxed));
        let queue = &*reply.routing_key;
        let safe = proven.accepts(reply.body.len(), now, used) && proven.takes_replies(queue, now);
        if safe {
            self.used.store(now, Ordering::Relaxed);
        }
        safe
    }

    /// Sends a reply through an outbox, which settles the request after the broker has dealt with the reply.
    #[cold]
    fn send_separately(&self, tag: u64, reply: Message, reject: bool) {
        let Requests { writer, consumed, .. } = &*self.requests;
        let direct = direct_reply_to::is_direct(&reply.routing_key);
        let request = Unsettled { writer: writer.clone(), tag, reject };
        let (queue, undeliverable) = (consumed.queue.clone(), consumed.undeliverable.clone());
        let reply = UnconfirmedReply::new(reply, request, queue, undeliverable);
        let outbox = if direct { &self.outboxes.direct } else { &self.outboxes.careful };
        outbox.send(reply);
    }
}

impl<D: Driver> WorkerChannel for AmqpWorker<D> {
    fn why_ended(&self) -> Option<String> {
        self.requests.why_ended.get().cloned()
    }

    fn finish(&self, tag: u64, mut reply: Option<Message>) {
        if let Some(reply) = reply.take_if(|reply| !self.is_safe(reply)) {
            self.send_separately(tag, reply, false);
            return;
        }
        // If the channel has ended, its requests were requeued. Here and below.
        let _ = self.requests.writer.write(|out| {
            if let Some(reply) = &reply {
                out.publish(reply);
            }
            out.ack(tag);
        });
    }

    fn requeue(&self, tag: u64) {
        let _ = self.requests.writer.write(|out| out.reject(tag, true));
    }

    fn reject(&self, tag: u64, mut reply: Option<Message>) {
        if let Some(reply) = reply.take_if(|reply| !self.is_safe(reply)) {
            self.send_separately(tag, reply, true);
            return;
        }
        let _ = self.requests.writer.write(|out| {
            if let Some(reply) = &reply {
                out.publish(reply);
            }
            out.reject(tag, false);
        });
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let cancel = self.channel.cancel(&self.consumer);
            // If the channel has ended, so has its consumer. Requests that arrived before the response can still be
            // received.
            let _ = timeout(CLOSE_WITHIN, cancel).await;
            self.requests.stop();
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.outboxes.flush(CLOSE_WITHIN).await;
            // Closing sends the acknowledgements first.
            let _ = timeout(CLOSE_WITHIN, self.channel.close()).await;
        })
    }
}
