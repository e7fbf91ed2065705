//! RabbitMQ: which queues and channels are used, how replies are sent, and how the outcome of a request is decided. The protocol
//! itself is a [driver](self::driver)'s: rpc-amqp's, or lapin's.
//!
//! A lost connection is never repaired, but replaced by a new one, with new channels, queues and consumers.

mod caller;
mod direct_reply_to;
pub(super) mod driver;
pub(super) mod error;
mod outbox;
pub(super) mod own;
mod proven;
mod refusal;
mod requests;
mod topology;
mod worker;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use self::{
    driver::{Driver, DriverConnection},
    outbox::Outboxes,
    own::Dialer,
};
use super::{
    Blocked, BoxFuture, BrokerFuture, CallerChannel, CallerOptions, CallerSink, ListenerOptions,
    OpenWorker, QueueState, Tls, Transport, WorkerOptions,
};
use crate::error::BrokerError;

/// How long an orderly close may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// The options of connections to the broker.
#[derive(Debug)]
pub(crate) struct AmqpOptions<'a> {
    pub(crate) addresses: &'a [String],
    pub(crate) name: &'a str,
    pub(crate) heartbeat: Duration,
    pub(crate) tls: &'a Tls,
    /// Whether to log in with a certificate.
    pub(crate) external: bool,
}

/// Connects to RabbitMQ.
pub(crate) struct AmqpTransport<D = Dialer>(Arc<D>);

impl AmqpTransport {
    pub(crate) fn new(options: &AmqpOptions<'_>) -> Result<Self, BrokerError> {
        Ok(Self::over(Dialer::new(options)?))
    }
}

impl<D: Driver> AmqpTransport<D> {
    /// Connects to RabbitMQ over this driver.
    pub(super) fn over(driver: D) -> Self {
        Self(Arc::new(driver))
    }
}

impl<D: Driver> Transport for AmqpTransport<D> {
    fn connect(&self, by: Option<Instant>) -> BrokerFuture<'_, Arc<dyn super::Connection>> {
        Box::pin(async move {
            let connection = self.0.dial(by).await?;
            let connection = AmqpConnection::new(connection, self.0.clone());
            Ok(Arc::new(connection) as Arc<dyn super::Connection>)
        })
    }

    fn address(&self) -> String {
        self.0.address()
    }
}

struct AmqpConnection<D: Driver> {
    connection: D::Connection,
    driver: Arc<D>,
    /// The runtime of the connection.
    runtime: Handle,
    /// Made with the first worker or listener.
    outboxes: OnceLock<Arc<Outboxes>>,
}

impl<D: Driver> AmqpConnection<D> {
    /// Has to be called on the runtime of the connection.
    fn new(connection: D::Connection, driver: Arc<D>) -> Self {
        let (runtime, outboxes) = (Handle::current(), OnceLock::new());
        Self { connection, driver, runtime, outboxes }
    }

    fn outboxes(&self) -> Arc<Outboxes> {
        let start =
            || Arc::new(Outboxes::new(self.connection.clone(), self.driver.clone(), &self.runtime));
        self.outboxes.get_or_init(start).clone()
    }
}

impl<D: Driver> Drop for AmqpConnection<D> {
    fn drop(&mut self) {
        // Dropping this handle is not enough, because the outboxes and the callers have handles, too.
        self.connection.close();
    }
}

impl<D: Driver> super::Connection for AmqpConnection<D> {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async move {
            let setup = caller::Setup::<D> { connection: self.connection.clone(), options, sink };
            Ok(Arc::new(caller::open(setup).await?) as Arc<dyn CallerChannel>)
        })
    }

    fn open_worker(&self, options: WorkerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async { worker::open::<D>(&self.connection, options, self.outboxes()).await })
    }

    fn open_listener(&self, options: ListenerOptions) -> BrokerFuture<'_, OpenWorker> {
        Box::pin(async { worker::listen::<D>(&self.connection, options, self.outboxes()).await })
    }

    fn queue_state<'a>(&'a self, queue: &'a str) -> BrokerFuture<'a, Option<QueueState>> {
        Box::pin(topology::queue_state(&self.connection, queue))
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        let closed = self.connection.closed();
        Box::pin(async move { error::ended(closed.await) })
    }

    fn channels(&self) -> Option<u16> {
        Some(self.connection.channel_max())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.connection.blocked()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let connection = ClosedOnDrop(self.connection.clone());
        Box::pin(async move {
            if let Some(outboxes) = self.outboxes.get() {
                // A request whose reply was sent would run again if it were not acknowledged.
                outboxes.flush(CLOSE_WITHIN).await;
            }
            drop(connection);
            // After that, do not wait for a broker that does not respond.
            let _ = timeout(CLOSE_WITHIN, self.closed()).await;
        })
    }
}

/// Closes a connection when it is dropped, even if there are other handles.
struct ClosedOnDrop<C: DriverConnection>(C);

impl<C: DriverConnection> Drop for ClosedOnDrop<C> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Sets the reason for an end, unless it is already set. The first reason is the cause.
fn set_once(reason: &watch::Sender<Option<BrokerError>>, error: BrokerError) {
    reason.send_if_modified(|current| {
        let first = current.is_none();
        current.get_or_insert(error);
        first
    });
}

/// Resolves when the reason for the end is set.
fn when_set(mut reason: watch::Receiver<Option<BrokerError>>) -> BoxFuture<'static, BrokerError> {
    Box::pin(async move {
        match reason.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(|| error::connection_lost("it ended")),
            Err(_) => error::connection_lost("it was closed by this program"),
        }
    })
}

#[cfg(test)]
mod tests;
