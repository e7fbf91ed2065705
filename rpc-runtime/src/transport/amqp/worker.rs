//! The channel of one consumer: requests come in, replies and acknowledgements go out.
//!
//! An acknowledgement must not overtake its reply: a server that died in between would have lost the request. lapin
//! sends acknowledgements first, whatever was queued before them, so each waits until its reply is on the socket.

use std::{
    collections::BTreeSet,
    future::ready,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel, Connection,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    },
    types::{FieldTable, ShortString},
};
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, timeout},
};
use tracing::debug;

use super::{
    CLOSE_WITHIN, error, properties,
    publishing::{LOOK_FOR_RETURNS_FOR, Outbox, Published, poll_once},
    topology,
};
use crate::{
    error::BrokerError,
    transport::{BoxFuture, Deliveries, Outbound, WorkerChannel, WorkerOptions},
};

pub(super) struct AmqpWorker {
    channel: Arc<Channel>,
    consumer: ShortString,
    outbox: Arc<Outbox<Settlement>>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

/// What is to be said of a request.
enum Settlement {
    Request {
        tag: u64,
        /// Leaves before anything is said.
        reply: Option<Published>,
        verdict: Verdict,
    },
    /// Everything before it has been said.
    Flushed(oneshot::Sender<()>),
}

#[derive(Clone, Copy)]
enum Verdict {
    Acknowledge,
    Refuse { requeue: bool },
}

pub(super) async fn open(
    connection: &Connection,
    options: WorkerOptions,
) -> Result<(AmqpWorker, Deliveries), BrokerError> {
    let name = options.queue.name();
    let opening =
        |error| error::during(&format!("opening a channel for the queue {name:?}"), error);
    let channel = connection.create_channel().await.map_err(opening)?;
    topology::declare_service(&channel, &options.queue, &options.exchange).await?;
    channel.basic_qos(options.prefetch, BasicQosOptions::default()).await.map_err(opening)?;
    let consumer = channel
        .basic_consume(
            properties::short(name.to_owned()),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(|error| error::during(&format!("consuming the queue {name:?}"), error))?;

    let channel = Arc::new(channel);
    let outbox = Outbox::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(settle(outbox.clone(), channel.clone(), options.undeliverable));
    let worker = AmqpWorker { channel, consumer: consumer.tag(), outbox, _tasks: tasks };
    // After an error the stream ends, and whoever reads it opens another.
    let deliveries = consumer.filter_map(|delivery| {
        ready(match delivery {
            Ok(delivery) => Some(properties::from_delivery(delivery)),
            Err(error) => {
                debug!(%error, "stopped consuming");
                None
            }
        })
    });
    Ok((worker, deliveries.boxed()))
}

impl AmqpWorker {
    fn answer(&self, tag: u64, reply: Option<Outbound>, verdict: Verdict) {
        match reply {
            None => self.outbox.push(Settlement::Request { tag, reply: None, verdict }),
            Some(reply) => {
                // It is never closed: a channel that is gone shows when the report is collected.
                let _ = self.outbox.publish(&self.channel, reply, |published| {
                    Settlement::Request { tag, reply: Some(published), verdict }
                });
            }
        }
    }
}

impl WorkerChannel for AmqpWorker {
    fn finish(&self, tag: u64, reply: Option<Outbound>) {
        self.answer(tag, reply, Verdict::Acknowledge);
    }

    fn requeue(&self, tag: u64) {
        self.answer(tag, None, Verdict::Refuse { requeue: true });
    }

    fn reject(&self, tag: u64, reply: Option<Outbound>) {
        self.answer(tag, reply, Verdict::Refuse { requeue: false });
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let cancel =
                self.channel.basic_cancel(self.consumer.clone(), BasicCancelOptions::default());
            // A channel that is gone has no consumer any more.
            let _ = timeout(CLOSE_WITHIN, cancel).await;
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let (flushed, done) = oneshot::channel();
            self.outbox.push(Settlement::Flushed(flushed));
            let goodbye = async {
                // It fails where the channel is gone, and there is nothing to flush.
                let _ = done.await;
                self.channel.close(200, "goodbye".into()).await
            };
            let _ = timeout(CLOSE_WITHIN, goodbye).await;
        })
    }
}

/// Acknowledges what was answered, many at a time; ends when the channel is gone.
async fn settle(
    outbox: Arc<Outbox<Settlement>>,
    channel: Arc<Channel>,
    undeliverable: Arc<AtomicU64>,
) {
    let mut tags = Tags::default();
    let mut look_until = Instant::now();
    loop {
        let mut flushed = None;
        for settlement in outbox.take_or_look(look_until).await {
            match settlement {
                Settlement::Request { tag, reply, verdict } => {
                    if let Some(reply) = reply {
                        if reply.await.is_err() {
                            return;
                        }
                        look_until = Instant::now() + LOOK_FOR_RETURNS_FOR;
                    }
                    #[cfg(feature = "failpoints")]
                    crate::failpoint::reach("after-the-reply");
                    match verdict {
                        Verdict::Acknowledge => tags.answered(tag),
                        Verdict::Refuse { requeue } => {
                            let options = BasicNackOptions { requeue, multiple: false };
                            // Awaited, it could hang on a connection that is cut; polled once, it is queued.
                            let _ = poll_once(pin!(channel.basic_nack(tag, options)));
                            tags.refused(tag);
                        }
                    }
                }
                Settlement::Flushed(sender) => flushed = Some(sender),
            }
        }
        for Acknowledgement { tag, multiple } in tags.acknowledgements() {
            let _ = poll_once(pin!(channel.basic_ack(tag, BasicAckOptions { multiple })));
        }
        // Replies that came back lie in a list that nobody announces.
        let returned = channel.wait_for_confirms().now_or_never().and_then(Result::ok);
        let returned = returned.map_or(0, |returned| returned.len() as u64);
        undeliverable.fetch_add(returned, Ordering::Relaxed);
        if let Some(flushed) = flushed {
            // Whoever wanted to know may have given up.
            let _ = flushed.send(());
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Acknowledgement {
    tag: u64,
    multiple: bool,
}

/// Which deliveries were answered. One acknowledgement covers all up to the first that was not; the others, behind a
/// slow request, are acknowledged one by one.
#[derive(Default)]
struct Tags {
    /// All up to this one are settled, and RabbitMQ knows.
    settled: u64,
    /// Beyond it: settled as well.
    ahead: BTreeSet<u64>,
    /// Of these, the ones that RabbitMQ does not know of.
    unsaid: Vec<u64>,
}

impl Tags {
    fn answered(&mut self, tag: u64) {
        self.ahead.insert(tag);
        self.unsaid.push(tag);
    }

    fn refused(&mut self, tag: u64) {
        self.ahead.insert(tag);
    }

    fn acknowledgements(&mut self) -> Vec<Acknowledgement> {
        while self.ahead.remove(&(self.settled + 1)) {
            self.settled += 1;
        }
        let settled = self.settled;
        let (together, alone): (Vec<u64>, Vec<u64>) =
            self.unsaid.drain(..).partition(|tag| *tag <= settled);
        let together =
            together.into_iter().max().map(|tag| Acknowledgement { tag, multiple: true });
        let alone = alone.into_iter().map(|tag| Acknowledgement { tag, multiple: false });
        together.into_iter().chain(alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tags: &mut Tags) -> Vec<(u64, bool)> {
        tags.acknowledgements().into_iter().map(|ack| (ack.tag, ack.multiple)).collect()
    }

    #[test]
    fn a_run_of_answers_is_acknowledged_at_once() {
        let mut tags = Tags::default();
        for tag in [2, 1, 3] {
            tags.answered(tag);
        }
        assert_eq!(said(&mut tags), [(3, true)]);
        assert_eq!(said(&mut tags), []);
    }

    #[test]
    fn nothing_behind_a_slow_request_waits_for_it_and_nothing_covers_it() {
        let mut tags = Tags::default();
        for tag in [2, 3] {
            tags.answered(tag);
        }
        assert_eq!(said(&mut tags), [(2, false), (3, false)]);
        tags.answered(4);
        assert_eq!(said(&mut tags), [(4, false)]);
        tags.answered(1);
        assert_eq!(said(&mut tags), [(1, true)]);
        tags.answered(5);
        assert_eq!(said(&mut tags), [(5, true)]);
    }

    #[test]
    fn a_requeued_request_is_never_acknowledged_by_itself() {
        let mut tags = Tags::default();
        tags.refused(1);
        assert_eq!(said(&mut tags), []);
        tags.answered(2);
        assert_eq!(said(&mut tags), [(2, true)]);
    }
}
