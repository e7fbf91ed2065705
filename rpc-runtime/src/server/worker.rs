//! One queue: consumed for as long as the server lives, over the connections that come and go.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, Span, debug, field::display, info, warn};

use super::{
    batch::{self, Pace, Served},
    request::Endpoint,
};
use crate::{
    connection::{Access, Supervisor, pauses},
    context::Phase,
    error::{BrokerError, BrokerErrorKind},
    escape::Escaped,
    limits,
    message::Delivery,
    tasks::boxed,
    transport::{Deliveries, OpenWorker, Queue, WorkerChannel, WorkerOptions},
};

/// Takes requests from one queue and has them answered.
pub(super) struct Worker {
    supervisor: Supervisor,
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

/// What the requests of one channel have in common.
struct Serving {
    endpoint: Arc<Endpoint>,
    channel: Arc<dyn WorkerChannel>,
    permits: Arc<Semaphore>,
    pace: Arc<Pace>,
    requests: TaskTracker,
    channel_gone: CancellationToken,
}

impl Serving {
    /// Serves a request. Without a permit it waits for one.
    fn served(
        self: &Arc<Self>,
        delivery: Delivery,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Served {
        let (serving, span) = (self.clone(), self.endpoint.span(&delivery));
        let over_it = span.clone();
        let served = boxed(async move { serving.serve(delivery, permit, &span).await });
        served.instrument(over_it)
    }

    async fn serve(
        &self,
        delivery: Delivery,
        permit: Option<OwnedSemaphorePermit>,
        span: &Span,
    ) -> Duration {
        // Boxed: a request seldom waits for a permit, and all would have room for it.
        let permit = match permit {
            Some(permit) => Ok(permit),
            None => Box::pin(self.permits.clone().acquire_owned()).await,
        };
        // The permits are closed when the server drains.
        let Ok(_permit) = permit else {
            self.endpoint.give_back(&delivery, &*self.channel);
            return Duration::ZERO;
        };
        let finished = self.endpoint.serve(delivery, &*self.channel, span).await;
        // A request whose channel was lost went back to the queue then, and may be running here again.
        if finished.is_none() && !self.channel_gone.is_cancelled() {
            self.endpoint.note_stopped();
        }
        finished.unwrap_or_default()
    }

    /// Takes no more requests, gives those back that were not begun, and waits for the others.
    async fn drain(&self, deliveries: &mut (dyn Deliveries + 'static)) {
        self.channel.stop().await;
        self.permits.close();
        while let Some(delivery) = deliveries.next().await {
            self.endpoint.give_back(&delivery, &*self.channel);
        }
        self.requests.close();
        self.requests.wait().await;
        self.channel.close().await;
    }
}

enum Ended {
    ChannelGone,
    Draining,
}

impl Worker {
    /// A worker that runs so many requests at once; with `shed`, it refuses others instead of leaving them in the queue.
    pub(super) fn new(
        access: &Access,
        queue: Queue,
        concurrency: u16,
        shed: bool,
        endpoint: Endpoint,
        instance: Arc<str>,
        idle: watch::Sender<usize>,
    ) -> Self {
        Self {
            supervisor: access.supervisor().clone(),
            exchange: access.exchange().to_string(),
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
        let connection = self.supervisor.connection().await?;
        let options = WorkerOptions {
            queue: self.queue.clone(),
            // What is to be refused has to be taken first.
            prefetch: self.concurrency.saturating_mul(if self.shed { 2 } else { 1 }),
            exchange: self.exchange.clone(),
            max_request: self.endpoint.max_request(),
            undeliverable: self.endpoint.undeliverable(),
            refused: self.endpoint.refused(),
        };
        let opened = connection.open_worker(options).await?;
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
            let serving = Arc::new(Serving {
                endpoint: self.endpoint.clone(),
                channel: channel.clone(),
                permits: self.permits.clone(),
                pace: Arc::default(),
                requests: TaskTracker::new(),
                channel_gone: CancellationToken::new(),
            });
            match self.take(&serving, &mut *deliveries, &mut phase).await {
                Ended::ChannelGone => {
                    serving.channel_gone.cancel();
                    self.idle.send_modify(|idle| *idle += 1);
                    // RabbitMQ gives the unacknowledged requests of this channel to others. A handler of one that still
                    // runs cannot reply on this channel any more.
                    if !self.supervisor.is_closed() {
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
                Ended::Draining => return serving.drain(&mut *deliveries).await,
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
            let mut served = came.drain(..).filter_map(|delivery| self.served(serving, delivery));
            let Some(first) = served.next() else { continue };
            others.extend(served);
            let (pace, requests) = (serving.pace.clone(), serving.requests.clone());
            serving.requests.spawn(batch::run(first, others, pace, requests));
        }
    }

    /// `None` for a request that is refused.
    fn served(&self, serving: &Arc<Serving>, delivery: Delivery) -> Option<Served> {
        let permit = self.permits.clone().try_acquire_owned().ok();
        if self.shed && permit.is_none() {
            self.endpoint.shed(&delivery, &*serving.channel);
            return None;
        }
        Some(serving.served(delivery, permit))
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

#[cfg(test)]
mod tests {
    use std::task::{Context as TaskContext, Poll};

    use futures_util::future::join_all;
    use tokio::{
        sync::{Barrier, Notify},
        task::yield_now,
    };

    use super::{
        super::request::tests::{Recorder, endpoint, request},
        *,
    };
    use crate::{Broker, CallError, Context, Server, rpc_service};

    #[rpc_service]
    trait Meeting {
        async fn meet(&self);
        async fn hello(&self) -> u32;
    }

    struct Room(Barrier);

    impl Meeting for Room {
        async fn meet(&self) {
            self.0.wait().await;
        }

        async fn hello(&self) -> u32 {
            7
        }
    }

    const GUESTS: usize = 5 * super::batch::MOST;

    /// Requests that have come and were not taken.
    struct Waiting(Vec<Delivery>);

    impl Deliveries for Waiting {
        fn poll_take(
            &mut self,
            to: &mut Vec<Delivery>,
            most: usize,
            _: &mut TaskContext<'_>,
        ) -> Poll<bool> {
            let some = !self.0.is_empty();
            to.extend(self.0.drain(..most.min(self.0.len())));
            Poll::Ready(some)
        }
    }

    #[tokio::test]
    async fn draining_finishes_what_was_begun_and_gives_the_rest_back() {
        let channel = Arc::new(Recorder::default());
        let serving = Arc::new(Serving {
            endpoint: Arc::new(endpoint()),
            channel: channel.clone(),
            permits: Arc::new(Semaphore::new(0)),
            pace: Arc::default(),
            requests: TaskTracker::new(),
            channel_gone: CancellationToken::new(),
        });
        let numbered = |tag| Delivery { tag, ..request("balance", Some("amq.gen-x"), false) };
        let (running, may_end) = (channel.clone(), Arc::new(Notify::new()));
        let told = may_end.clone();
        serving.requests.spawn(async move {
            told.notified().await;
            running.say("1 finished".to_owned());
        });
        // There is no permit for it.
        serving.requests.spawn(serving.served(numbered(2), None));
        yield_now().await;

        let mut deliveries = Waiting(vec![numbered(3), numbered(4)]);
        let mut draining = std::pin::pin!(serving.drain(&mut deliveries));
        for _ in 0..10 {
            assert!(crate::tasks::now(draining.as_mut()).is_none(), "one is still running");
            yield_now().await;
        }
        let said = channel.said();
        assert_eq!(said, ["stopped", "3 given back", "4 given back", "2 given back"]);
        may_end.notify_one();
        draining.await;
        assert_eq!(channel.said()[4..], ["1 finished", "closed"]);
    }

    #[tokio::test]
    async fn requests_can_wait_for_each_other() {
        let broker = Broker::serving(MeetingServer::new(Room(Barrier::new(GUESTS))));
        let client = MeetingClient::new(&broker);
        client.hello().await.unwrap();
        let met = join_all((0..GUESTS).map(|_| client.meet())).await;
        assert!(met.iter().all(Result::is_ok), "{met:?}");
    }

    #[tokio::test]
    async fn a_panicking_permission_refuses_its_request_alone() {
        let broker = Broker::in_memory();
        let authorize = |context: &Context| match context.header("uninvited") {
            Some(_) => panic!("nobody expected that"),
            None => Ok(()),
        };
        let room = MeetingServer::new(Room(Barrier::new(1)));
        let server = Server::builder(&broker).service(room).authorize(authorize).start();
        let server = server.await.unwrap();
        let client = MeetingClient::new(&broker);
        client.hello().await.unwrap();

        let calls = (0..GUESTS).map(|guest| match guest % 3 {
            0 => client.hello().header("uninvited", "yes"),
            _ => client.hello(),
        });
        for (guest, said) in join_all(calls).await.into_iter().enumerate() {
            match guest % 3 {
                0 => assert!(
                    matches!(&said, Err(CallError::Refused(fault)) if !fault.may_have_run()),
                    "{said:?}"
                ),
                _ => assert_eq!(said.unwrap(), 7),
            }
        }
        drop(server);
    }
}
