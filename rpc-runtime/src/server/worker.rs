//! One queue: consumed for as long as the server lives, over the connections that come and go.

use std::{convert::Infallible, future::poll_fn, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc, watch},
    time::{Instant, sleep},
};
use tracing::{Instrument as _, debug, field::display, info, instrument::Instrumented, warn};

use super::{
    batch::{self, Pace},
    lifecycle::Phase,
    request::Endpoint,
};
use crate::{
    broker::{Broker, Connection, pauses},
    error::{BrokerError, BrokerErrorKind},
    escape::Escaped,
    limits,
    message::Delivery,
    tasks::{BoxFuture, boxed},
    transport::{Deliveries, OpenWorker, Queue, WorkerChannel, WorkerOptions},
};

/// Takes requests from one queue and has them answered.
pub(super) struct Worker {
    connection: Connection,
    exchange: String,
    queue: Queue,
    concurrency: u16,
    shed: bool,
    endpoint: Arc<Endpoint>,
    /// What the server calls itself.
    instance: Arc<str>,
    /// As many requests run as are allowed, also while those of a lost connection still do.
    permits: Arc<Semaphore>,
    /// How many workers of the server consume nothing.
    idle: watch::Sender<usize>,
}

/// What the requests that came by one channel have in common.
struct Serving {
    endpoint: Arc<Endpoint>,
    channel: Arc<dyn WorkerChannel>,
    permits: Arc<Semaphore>,
    pace: Arc<Pace>,
    /// Says nothing: the other end learns from it when the last request is gone, and is gone itself with the channel.
    until_gone: mpsc::Sender<Infallible>,
}

/// A request's hold on what serves it, and its right to run if it has that, which is given back with it.
struct Hold {
    serving: Arc<Serving>,
    permitted: bool,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.permitted {
            self.serving.permits.add_permits(1);
        }
    }
}

/// A request that is served: when it was answered, if it was.
pub(super) type Served = Instrumented<BoxFuture<'static, Option<Instant>>>;

/// A request that was taken, to be served.
pub(super) struct Taken {
    hold: Hold,
    delivery: Delivery,
}

impl Taken {
    fn new(serving: &Arc<Serving>, delivery: Delivery) -> Self {
        let permit = serving.permits.try_acquire();
        let permitted = permit.map(SemaphorePermit::forget).is_ok();
        Self { hold: Hold { serving: serving.clone(), permitted }, delivery }
    }

    /// Serves it, whose time counts from `came` on, as soon as it may run; says when it was answered, if it was. `at_once`:
    /// it is first polled at `came`.
    pub(super) fn serve(self, mut came: Instant, mut at_once: bool) -> Served {
        let span = self.hold.serving.endpoint.span(&self.delivery);
        let over_it = span.clone();
        // What is seldom waited for is kept out of its size.
        let served = boxed(async move {
            let Self { mut hold, delivery } = self;
            let Serving { endpoint, channel, permits, until_gone, .. } = &*hold.serving;
            if !hold.permitted {
                let Ok(permit) = Box::pin(permits.acquire()).await else {
                    // The server drains.
                    endpoint.give_back(&delivery, &**channel);
                    return None;
                };
                permit.forget();
                hold.permitted = true;
                (came, at_once) = (Instant::now(), true);
            }
            let answered = endpoint.serve(delivery, came, at_once, &**channel, &span).await;
            // A request whose channel was lost went back to the queue then, and may be running here again.
            if answered.is_none() && !until_gone.is_closed() {
                endpoint.note_stopped();
            }
            answered
        });
        served.instrument(over_it)
    }
}

enum Ended {
    ChannelGone,
    Draining,
}

impl Worker {
    /// A worker that runs so many requests at once; with `shed`, it refuses others instead of leaving them in the queue.
    pub(super) fn new(
        broker: &Broker,
        queue: Queue,
        concurrency: u16,
        shed: bool,
        endpoint: Endpoint,
        instance: Arc<str>,
        idle: watch::Sender<usize>,
    ) -> Self {
        Self {
            connection: broker.connection(),
            exchange: broker.exchange().to_string(),
            queue,
            concurrency,
            shed,
            endpoint: Arc::new(endpoint),
            instance,
            permits: Arc::new(Semaphore::new(usize::from(concurrency))),
            idle,
        }
    }

    /// Declares the queue and starts to consume it.
    pub(super) async fn open(&self) -> Result<OpenWorker, BrokerError> {
        let link = self.connection.link().await?;
        let options = WorkerOptions {
            queue: self.queue.clone(),
            // What is to be refused has to be taken first.
            prefetch: self.concurrency.saturating_mul(if self.shed { 2 } else { 1 }),
            exchange: self.exchange.clone(),
            max_request: self.endpoint.max_request(),
            undeliverable: self.endpoint.undeliverable(),
            refused: self.endpoint.refused(),
        };
        let opened = link.open_worker(options).await?;
        let (service, queue) = (self.endpoint.service().name, self.queue.name());
        info!(service, queue, instance = &*self.instance, "serves");
        Ok(opened)
    }

    /// Serves until the server drains, and what was begun has ended; or until the broker is closed.
    pub(super) async fn serve(self, first: Option<OpenWorker>) {
        self.serve_all(first).await;
        let shut_down = *self.endpoint.phase().borrow() != Phase::Serving;
        let reason = if shut_down { "it was shut down" } else { "the broker was closed" };
        let (service, queue) = (self.endpoint.service().name, self.queue.name());
        info!(service, queue, instance = &*self.instance, reason, "stopped");
    }

    async fn serve_all(&self, first: Option<OpenWorker>) {
        let mut phase = self.endpoint.phase();
        let mut next = first;
        if next.is_none() {
            self.idle.send_modify(|idle| *idle += 1);
        }
        let mut waits = pauses();
        let mut pause = Duration::ZERO;
        loop {
            let (channel, mut deliveries) = match next.take() {
                Some(opened) => opened,
                None => match self.reopen(&mut phase, pause, &mut waits).await {
                    Some(opened) => {
                        self.idle.send_modify(|idle| *idle -= 1);
                        opened
                    }
                    None => return,
                },
            };
            let opened = Instant::now();
            let (until_gone, mut requests) = mpsc::channel(1);
            let serving = Arc::new(Serving {
                endpoint: self.endpoint.clone(),
                channel: channel.clone(),
                permits: self.permits.clone(),
                pace: Arc::default(),
                until_gone,
            });
            match self.take(&serving, &mut *deliveries, &mut phase).await {
                Ended::ChannelGone => {
                    self.idle.send_modify(|idle| *idle += 1);
                    // RabbitMQ gives the unacknowledged requests of this channel to others. A handler of one that still
                    // runs cannot reply on this channel any more.
                    if !self.connection.is_closed() {
                        let (service, queue) = (self.endpoint.service().name, self.queue.name());
                        let reason = channel.why_ended().map(Escaped::new);
                        let reason = reason.map(|reason| display(reason.whole()));
                        warn!(service, queue, reason, "stopped consuming; starting again");
                    }
                    // A queue that somebody deletes as often as it is declared is declared ever more seldom.
                    if opened.elapsed() > limits::STABLE_AFTER {
                        waits = pauses();
                    }
                    pause = waits.next().unwrap_or(limits::LONGEST_PAUSE);
                }
                Ended::Draining => {
                    channel.stop().await;
                    self.permits.close();
                    while let Some(delivery) = deliveries.next().await {
                        self.endpoint.give_back(&delivery, &*channel);
                    }
                    drop(serving);
                    requests.recv().await;
                    channel.close().await;
                    return;
                }
            }
        }
    }

    /// Takes requests and has them served, until there are no more to be taken.
    async fn take(
        &self,
        serving: &Arc<Serving>,
        deliveries: &mut dyn Deliveries,
        phase: &mut watch::Receiver<Phase>,
    ) -> Ended {
        let unchanged = phase.clone();
        let draining = Phase::Draining.reached(phase);
        tokio::pin!(draining);
        let mut came = Vec::new();
        loop {
            let (run, most) = (&mut came, serving.pace.most());
            let open = tokio::select! {
                biased;
                // Costs less to ask, each time, than the future below.
                open = poll_fn(|cx| deliveries.poll_take(run, most, cx)),
                    if !unchanged.has_changed().unwrap_or(true) => open,
                () = &mut draining => return Ended::Draining,
            };
            if !open {
                return Ended::ChannelGone;
            }
            // No room for one that comes alone.
            let mut others = Vec::with_capacity(came.len().saturating_sub(1));
            let mut taken = came.drain(..).filter_map(|delivery| self.taken(serving, delivery));
            let Some(first) = taken.next() else { continue };
            others.extend(taken);
            tokio::spawn(batch::run(first, others, serving.pace.clone()));
        }
    }

    /// `None` for a request that is refused.
    fn taken(&self, serving: &Arc<Serving>, delivery: Delivery) -> Option<Taken> {
        let taken = Taken::new(serving, delivery);
        if self.shed && !taken.hold.permitted {
            serving.endpoint.shed(&taken.delivery, &*serving.channel);
            return None;
        }
        Some(taken)
    }

    /// Opens again, for as long as it takes; `None` once the server drains or the broker was closed.
    async fn reopen(
        &self,
        phase: &mut watch::Receiver<Phase>,
        mut pause: Duration,
        waits: &mut impl Iterator<Item = Duration>,
    ) -> Option<OpenWorker> {
        loop {
            tokio::select! {
                () = Phase::Draining.reached(phase) => return None,
                () = sleep(pause) => {}
            }
            let opened = tokio::select! {
                biased;
                () = Phase::Draining.reached(phase) => return None,
                opened = self.open() => opened,
            };
            pause = match opened {
                Ok(opened) => return Some(opened),
                Err(error) if error.kind() == BrokerErrorKind::Closed => return None,
                Err(error) if error.is_permanent() => {
                    let (service, queue) = (self.endpoint.service().name, self.queue.name());
                    warn!(service, queue, error = %error.whole(), "the queue cannot be consumed");
                    limits::LONGEST_PAUSE
                }
                Err(error) => {
                    debug!(queue = self.queue.name(), %error, "the queue cannot be consumed yet");
                    waits.next().unwrap_or(limits::LONGEST_PAUSE)
                }
            };
        }
    }
}
