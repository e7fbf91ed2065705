//! Faults, injected between this framework and a broker: around any transport, message by message.
//!
//! A request is judged where its caller publishes it, and where its server has dealt with it; a reply where it reaches its
//! caller. A reply does not say which method it is of, so a worker notes that on it, and the caller takes it off again.
//! Questions of discovery and their answers are let through.

mod caller;
mod line;
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
    line::Line,
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

/// The faults that are to happen, and the connections that they can happen to.
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

    /// Ends every connection there is.
    pub(crate) fn lose_connections(&self) {
        let connections = std::mem::take(&mut *lock(&self.connections));
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.cut();
        }
    }

    /// A connection that faults can happen to.
    pub(crate) fn around(self: &Arc<Self>, inner: Arc<dyn Connection>) -> Arc<dyn Connection> {
        let wire = Arc::new(Wire {
            injected: self.clone(),
            cut: watch::Sender::new(false),
            line: Line::new(),
        });
        let connection = Arc::new(FaultyConnection { inner, wire });
        let mut connections = lock(&self.connections);
        connections.retain(|known| known.strong_count() > 0);
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
            // As over a network; so whoever follows the status sees that the connection was down.
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

/// What a connection and its channels have in common. Channels do not keep the connection.
struct Wire {
    injected: Arc<Injected>,
    /// Nothing passes any more.
    cut: watch::Sender<bool>,
    line: Line,
}

impl Wire {
    fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    /// Resolves when nothing passes any more.
    fn lost(&self) -> BoxFuture<'static, BrokerError> {
        let mut cut = self.cut.subscribe();
        Box::pin(async move {
            // An error means that the connection and its channels are gone, which is the same.
            let _ = cut.wait_for(|cut| *cut).await;
            lost()
        })
    }

    /// Resolves with that, or when what is below has ended by itself.
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

    /// Sends something after a time, unless the connection is lost before; `false` if too much is held up already.
    fn later(&self, time: Duration, send: impl FnOnce() + Send + 'static) -> bool {
        self.line.hold(time, self.cut.subscribe(), send)
    }
}

fn lost() -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, "the connection was lost, as injected")
}

struct FaultyConnection {
    inner: Arc<dyn Connection>,
    wire: Arc<Wire>,
}

impl FaultyConnection {
    fn cut(&self) {
        self.wire.cut.send_replace(true);
        // What is below is closed with the first poll, and has nobody to wait for.
        let _ = tasks::now(self.inner.close());
    }
}

impl Drop for FaultyConnection {
    fn drop(&mut self) {
        self.wire.cut.send_replace(true);
    }
}

impl Connection for FaultyConnection {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async {
            self.wire.check()?;
            let sink = Arc::new(FaultySink { inner: sink, wire: self.wire.clone() });
            let inner = self.inner.open_caller(options, sink.clone()).await?;
            Ok(Arc::new(FaultyCaller { inner, sink }) as Arc<dyn CallerChannel>)
        })
    }

    fn open_worker(&self, options: WorkerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async {
            self.wire.check()?;
            let queue = options.queue.name().into();
            let opened = self.inner.open_worker(options).await?;
            Ok(faulty_worker(opened, Some(queue), &self.wire))
        })
    }

    fn open_listener(&self, options: ListenerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async {
            self.wire.check()?;
            let opened = self.inner.open_listener(options).await?;
            Ok(faulty_worker(opened, None, &self.wire))
        })
    }

    fn queue_state<'a>(&'a self, queue: &'a str) -> BrokerFuture<'a, Option<QueueState>> {
        Box::pin(async {
            self.wire.check()?;
            self.inner.queue_state(queue).await
        })
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        self.wire.lost_or(self.inner.closed())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.inner.blocked()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.wire.cut.send_replace(true);
        self.inner.close()
    }
}
