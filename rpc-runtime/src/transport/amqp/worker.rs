//! The channel of one consumer: requests come in, replies and acknowledgements go out.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use smol_str::SmolStr;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tracing::debug;

use super::{
    CLOSE_WITHIN,
    channel::Channel,
    error,
    mux::{Ended, Mux, Port, Route},
    topology,
    wire::Command,
};
use crate::{
    error::BrokerError,
    transport::{
        BoxFuture, Deliveries, Delivery, ListenerOptions, Message, OpenWorker, Properties,
        WorkerChannel, WorkerOptions,
    },
};

struct AmqpWorker {
    channel: Channel,
    requests: Arc<Requests>,
    /// What the broker calls the consumer.
    consumer: SmolStr,
}

/// What comes, and the way out for what is answered.
struct Requests {
    port: Arc<Port>,
    /// `None` once no more come. There are never more than the broker sends ahead.
    deliveries: Mutex<Option<mpsc::UnboundedSender<Delivery>>>,
    undeliverable: Arc<AtomicU64>,
}

/// What the broker has sent.
type Coming = mpsc::UnboundedReceiver<Delivery>;

impl Requests {
    fn new(port: Arc<Port>, undeliverable: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { port, deliveries: Mutex::default(), undeliverable })
    }

    fn deliveries(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<Delivery>>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Coming {
        let (deliveries, coming) = mpsc::unbounded_channel();
        *self.deliveries() = Some(deliveries);
        coming
    }

    fn stop(&self) {
        self.deliveries().take();
    }
}

impl Route for Requests {
    fn delivered(&self, delivery: Delivery) {
        if let Some(deliveries) = &*self.deliveries() {
            // Whoever takes them may be gone; then the broker takes them back with the channel.
            let _ = deliveries.send(delivery);
        }
    }

    fn returned(&self, _: Properties) {
        self.undeliverable.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, why: Ended) {
        debug!(?why, "stopped consuming");
        self.stop();
    }

    fn cancelled(&self) {
        debug!("stopped consuming: the queue was deleted");
        self.stop();
    }
}

pub(super) async fn open(
    mux: &Arc<Mux>,
    options: WorkerOptions,
) -> Result<OpenWorker, BrokerError> {
    let name = options.queue.name();
    let opening = |why| error::during(&format!("opening a channel for the queue {name:?}"), why);
    let channel = Channel::open(mux).await.map_err(opening)?;
    topology::declare_service(&channel, &options.queue, &options.exchange).await?;
    take(channel, name, options.prefetch, options.undeliverable).await
}

pub(super) async fn listen(
    mux: &Arc<Mux>,
    options: ListenerOptions,
) -> Result<OpenWorker, BrokerError> {
    let exchange = &options.exchange;
    let opening = |why| error::during(&format!("opening a channel to listen to {exchange:?}"), why);
    let channel = Channel::open(mux).await.map_err(opening)?;
    let queue = topology::declare_listener(&channel, &options).await?;
    take(channel, &queue, options.prefetch, options.undeliverable).await
}

/// Consumes a queue.
async fn take(
    channel: Channel,
    queue: &str,
    prefetch: u16,
    undeliverable: Arc<AtomicU64>,
) -> Result<OpenWorker, BrokerError> {
    let consuming = |why| error::during(&format!("consuming the queue {queue:?}"), why);
    channel.ask(&Command::Prefetch(prefetch)).await.map_err(consuming)?;
    let requests = Requests::new(channel.port(), undeliverable);
    let coming = requests.start();
    channel.route(requests.clone());
    let consumer = channel.consume(queue, true).await.map_err(consuming)?;
    let worker = AmqpWorker { channel, requests, consumer };
    Ok((Arc::new(worker), Box::new(coming)))
}

impl Deliveries for Coming {
    fn poll_take(
        &mut self,
        to: &mut Vec<Delivery>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        self.poll_recv_many(cx, to, most).map(|taken| taken > 0)
    }
}

impl WorkerChannel for AmqpWorker {
    fn finish(&self, tag: u64, reply: Option<Message>, _: Instant) {
        // A channel that is gone has given its requests back; here and below.
        let _ = self.requests.port.send(|out| {
            if let Some(reply) = &reply {
                out.publish(reply);
            }
            out.answered(tag);
        });
    }

    fn requeue(&self, tag: u64) {
        let _ = self.requests.port.send(|out| out.refuse(tag, true));
    }

    fn reject(&self, tag: u64, reply: Option<Message>) {
        let _ = self.requests.port.send(|out| {
            if let Some(reply) = &reply {
                out.publish(reply);
            }
            out.refuse(tag, false);
        });
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let cancel = self.channel.ask(&Command::Cancel { consumer: &self.consumer });
            // A channel that is gone has no consumer any more. What came before the answer can still be taken.
            let _ = timeout(CLOSE_WITHIN, cancel).await;
            self.requests.stop();
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // What was answered is acknowledged first.
            let _ = timeout(CLOSE_WITHIN, self.channel.close()).await;
        })
    }
}
