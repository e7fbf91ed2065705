//! The channel of one consumer: requests come in, replies and acknowledgements go out.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use lapin::{
    Connection,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::ShortString,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};
use tracing::debug;

use super::{
    CLOSE_WITHIN,
    channel::OwnChannel,
    error,
    mux::{Ended, Mux, Port, Route},
    topology::{self, short},
};
use crate::{
    error::BrokerError,
    transport::{
        BoxFuture, Deliveries, Delivery, ListenerOptions, Message, OpenWorker, Properties,
        WorkerChannel, WorkerOptions,
    },
};

struct AmqpWorker {
    channel: OwnChannel,
    requests: Arc<Requests>,
    consumer: ShortString,
}

/// What comes, and the way out for what is answered.
struct Requests {
    port: Port,
    /// `None` once no more come. There are never more than the broker sends ahead.
    deliveries: Mutex<Option<mpsc::UnboundedSender<Delivery>>>,
    undeliverable: Arc<AtomicU64>,
}

/// What the broker has sent.
type Coming = mpsc::UnboundedReceiver<Delivery>;

impl Requests {
    fn new(port: Port, undeliverable: Arc<AtomicU64>) -> Arc<Self> {
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
        self.port.close();
        self.stop();
    }
}

pub(super) async fn open(
    connection: &Connection,
    mux: &Mux,
    options: WorkerOptions,
) -> Result<OpenWorker, BrokerError> {
    let name = options.queue.name();
    let opening =
        |error| error::during(&format!("opening a channel for the queue {name:?}"), error);
    let channel = OwnChannel::open(connection).await.map_err(opening)?;
    topology::declare_service(&channel, &options.queue, &options.exchange).await?;
    let port = mux.port(channel.id(), connection.configuration().frame_max());
    let requests = Requests::new(port, options.undeliverable);
    take(mux, channel, short(name.to_owned()), options.prefetch, requests).await
}

pub(super) async fn listen(
    connection: &Connection,
    mux: &Mux,
    options: ListenerOptions,
) -> Result<OpenWorker, BrokerError> {
    let exchange = &options.exchange;
    let opening =
        |error| error::during(&format!("opening a channel to listen to {exchange:?}"), error);
    let channel = OwnChannel::open(connection).await.map_err(opening)?;
    let queue = topology::declare_listener(&channel, &options).await?;
    let port = mux.port(channel.id(), connection.configuration().frame_max());
    let requests = Requests::new(port, options.undeliverable);
    take(mux, channel, queue, options.prefetch, requests).await
}

/// Consumes a queue.
async fn take(
    mux: &Mux,
    channel: OwnChannel,
    queue: ShortString,
    prefetch: u16,
    requests: Arc<Requests>,
) -> Result<OpenWorker, BrokerError> {
    let name = queue.as_str().to_owned();
    let consuming = |error| error::during(&format!("consuming the queue {name:?}"), error);
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.map_err(consuming)?;
    let coming = requests.start();
    mux.route(channel.id(), requests.clone());
    let told = requests.clone();
    let consumer = channel
        .consume(queue, BasicConsumeOptions::default(), move |_| told.stop())
        .await
        .map_err(consuming)?;
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
            let tag = self.consumer.clone();
            let cancel = self.channel.basic_cancel(tag, BasicCancelOptions::default());
            // A channel that is gone has no consumer any more. What came before the answer can still be taken.
            let _ = timeout(CLOSE_WITHIN, cancel).await;
            self.requests.stop();
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let (written, done) = oneshot::channel();
            let said = self.requests.port.send(|out| {
                out.say_all();
                // Whoever wanted to know may have given up.
                out.when_written(|| _ = written.send(()));
            });
            let goodbye = async {
                if said.is_ok() {
                    // It fails where the connection is gone, and there is nothing to wait for.
                    let _ = done.await;
                }
                self.channel.close(200, "goodbye".into()).await
            };
            let _ = timeout(CLOSE_WITHIN, goodbye).await;
        })
    }
}
