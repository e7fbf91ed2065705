//! Injects faults between this framework and a broker: around any transport, for each message.
//!
//! Faults of a request happen when its caller publishes it, or when its server has finished it. Faults of a reply happen
//! when it reaches its caller. A reply does not name its method, so the worker marks it with the method, and the caller
//! removes the mark. Discovery requests and their replies pass without faults.

mod caller;
mod delay_queue;
mod rules;
mod worker;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

pub(crate) use self::rules::{Fault, Selection, Way};
use self::{
    caller::{FaultyCaller, FaultySink},
    delay_queue::DelayQueue,
    rules::Rules,
    worker::faulty_worker,
};
use super::{
    Blocked, BoxFuture, BrokerFuture, CallerChannel, CallerOptions, CallerSink, Connection,
    ListenerOptions, OpenWorker, OtherUser, QueueState, Transport, WorkerOptions,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    limits,
    lock::lock,
    tasks,
};

/// The faults that should happen, and the connections that they can happen to.
#[derive(Default)]
pub(crate) struct Injected {
    rules: Mutex<Rules>,
    refusing: AtomicBool,
    connections: Mutex<Vec<Weak<FaultyConnection>>>,
}

impl Injected {
    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }

    pub(crate) fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::Relaxed);
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        *self.rules() = Rules::default();
        self.refuse(false);
    }

    /// Ends every connection.
    pub(crate) fn lose_connections(&self) {
        let connections = std::mem::take(&mut *lock(&self.connections));
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.cut();
        }
    }

    /// Adds faults to a connection.
    pub(crate) fn around(self: &Arc<Self>, inner: Arc<dyn Connection>) -> Arc<dyn Connection> {
        let shared = Arc::new(Shared {
            injected: self.clone(),
            cut: watch::Sender::new(false),
            delayed: DelayQueue::new(),
        });
        let connection = Arc::new(FaultyConnection { inner, shared });
        let mut connections = lock(&self.connections);
        connections.retain(|one| one.strong_count() > 0);
        connections.push(Arc::downgrade(&connection));
        connection
    }
}

/// Connects to another transport, with faults.
pub(crate) struct FaultyTransport {
    inner: Arc<dyn Transport>,
    injected: Arc<Injected>,
}

impl FaultyTransport {
    pub(crate) fn new(inner: Arc<dyn Transport>, injected: Arc<Injected>) -> Self {
        Self { inner, injected }
    }
}

impl Transport for FaultyTransport {
    fn connect(&self, by: Option<Instant>) -> BrokerFuture<'_, Arc<dyn Connection>> {
        Box::pin(async move {
            // As over a network. So status changes show that the connection was down.
            sleep(limits::INJECTED_ROUND_TRIP).await;
            if self.injected.is_refusing() {
                let message = format!("{} refuses the connection, as injected", self.address());
                return Err(BrokerError::new(BrokerErrorKind::Unreachable, message));
            }
            self.inner.connect(by).await.map(|connection| self.injected.around(connection))
        })
    }

    fn address(&self) -> String {
        self.inner.address()
    }

    fn for_user(&self, user: &str) -> Option<OtherUser> {
        let (inner, connection) = self.inner.for_user(user)?;
        let connection = connection.filter(|_| !self.injected.is_refusing());
        let connection = connection.map(|connection| self.injected.around(connection));
        Some((Arc::new(Self::new(inner, self.injected.clone())), connection))
    }
}

/// State that a connection shares with its channels. So channels do not keep the connection alive.
struct Shared {
    injected: Arc<Injected>,
    /// `true` once the connection is lost.
    cut: watch::Sender<bool>,
    delayed: DelayQueue,
}

impl Shared {
    fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    /// Resolves when the connection is lost.
    fn lost(&self) -> BoxFuture<'static, BrokerError> {
        let mut cut = self.cut.subscribe();
        Box::pin(async move {
            // An error means that the connection and its channels were dropped, which has the same effect.
            let _ = cut.wait_for(|cut| *cut).await;
            lost()
        })
    }

    /// Resolves when the connection is lost, or when `below` has ended by itself.
    fn lost_or(&self, below: BoxFuture<'static, BrokerError>) -> BoxFuture<'static, BrokerError> {
        let lost = self.lost();
        Box::pin(async {
            tokio::select! {
                biased;
                reason = lost => reason,
                reason = below => reason,
            }
        })
    }

    fn check(&self) -> Result<(), BrokerError> {
        if self.is_cut() { Err(lost()) } else { Ok(()) }
    }

    /// Sends something after a time, unless the connection is lost before. Returns `false` if too many messages are delayed
    /// already.
    fn later(&self, time: Duration, send: impl FnOnce() + Send + 'static) -> bool {
        self.delayed.push(time, self.cut.subscribe(), send)
    }
}

fn lost() -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, "the connection was lost, as injected")
}

struct FaultyConnection {
    inner: Arc<dyn Connection>,
    shared: Arc<Shared>,
}

impl FaultyConnection {
    fn cut(&self) {
        self.shared.cut.send_replace(true);
        // The first poll closes the inner connection. There is nothing to wait for.
        let _ = tasks::now(self.inner.close());
    }
}

impl Drop for FaultyConnection {
    fn drop(&mut self) {
        self.shared.cut.send_replace(true);
    }
}

impl Connection for FaultyConnection {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async {
            self.shared.check()?;
            let sink = Arc::new(FaultySink { inner: sink, shared: self.shared.clone() });
            let inner = self.inner.open_caller(options, sink.clone()).await?;
            Ok(Arc::new(FaultyCaller { inner, sink }) as Arc<dyn CallerChannel>)
        })
    }

    fn open_worker(&self, options: WorkerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async {
            self.shared.check()?;
            let queue = options.queue.name().into();
            let opened = self.inner.open_worker(options).await?;
            Ok(faulty_worker(opened, Some(queue), &self.shared))
        })
    }

    fn open_listener(&self, options: ListenerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async {
            self.shared.check()?;
            let opened = self.inner.open_listener(options).await?;
            Ok(faulty_worker(opened, None, &self.shared))
        })
    }

    fn queue_state<'a>(&'a self, queue: &'a str) -> BrokerFuture<'a, Option<QueueState>> {
        Box::pin(async {
            self.shared.check()?;
            self.inner.queue_state(queue).await
        })
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        self.shared.lost_or(self.inner.closed())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.inner.blocked()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.shared.cut.send_replace(true);
        self.inner.close()
    }
}
