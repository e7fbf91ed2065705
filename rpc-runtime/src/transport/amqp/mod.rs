//! RabbitMQ: which queues and channels there are, how replies go out, and what becomes of requests. The protocol itself is a
//! [driver](self::driver)'s: rpc-amqp's, or lapin's.
//!
//! A connection that is lost is never repaired: a new one follows it, with new channels, queues and consumers.

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
    fmt,
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
    Blocked, BoxFuture, CallerChannel, CallerOptions, CallerSink, ListenerOptions, OpenWorker,
    QueueState, Tls, Transport, WorkerOptions,
};
use crate::{error::BrokerError, wire};

// Headers that are read here are those that the envelope accepts.
const _: () = assert!(
    wire::MAX_TABLE_BYTES == rpc_amqp::MAX_TABLE_BYTES
        && wire::MAX_HEADER_DEPTH == rpc_amqp::MAX_TABLE_DEPTH
        && wire::MAX_SHORT_STRING == rpc_amqp::MAX_SHORT_STRING
);

/// How long a polite goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// How the broker is connected to.
#[derive(Debug)]
pub(crate) struct AmqpOptions<'a> {
    pub(crate) addresses: &'a [String],
    pub(crate) name: &'a str,
    pub(crate) heartbeat: Duration,
    pub(crate) tls: &'a Tls,
    /// Log in by certificate.
    pub(crate) external: bool,
}

/// RabbitMQ, as it is connected to.
pub(crate) struct AmqpTransport<D = Dialer>(Arc<D>);

impl AmqpTransport {
    pub(crate) fn new(options: &AmqpOptions<'_>) -> Result<Self, BrokerError> {
        Ok(Self::over(Dialer::new(options)?))
    }
}

impl<D: Driver> AmqpTransport<D> {
    /// RabbitMQ over this driver.
    pub(super) fn over(driver: D) -> Self {
        Self(Arc::new(driver))
    }
}

impl<D: Driver> fmt::Debug for AmqpTransport<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpTransport").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl<D: Driver> Transport for AmqpTransport<D> {
    fn connect(
        &self,
        by: Option<Instant>,
    ) -> BoxFuture<'_, Result<Arc<dyn super::Connection>, BrokerError>> {
        Box::pin(async move {
            let connection = self.0.dial(by).await?;
            let connection: Arc<dyn super::Connection> =
                Arc::new(AmqpConnection::new(connection, self.0.clone()));
            Ok(connection)
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
    /// Set once something is served.
    outboxes: OnceLock<Arc<Outboxes>>,
}

impl<D: Driver> AmqpConnection<D> {
    /// To be called on the runtime of the connection.
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
        // The outboxes and the callers have handles of it, too.
        self.connection.close();
    }
}

impl<D: Driver> super::Connection for AmqpConnection<D> {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async move {
            let setup = caller::Setup::<D> { connection: self.connection.clone(), options, sink };
            let caller = caller::open(setup).await?;
            let caller: Arc<dyn CallerChannel> = Arc::new(caller);
            Ok(caller)
        })
    }

    fn open_worker(
        &self,
        options: WorkerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(async { worker::open::<D>(&self.connection, options, self.outboxes()).await })
    }

    fn open_listener(
        &self,
        options: ListenerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(async { worker::listen::<D>(&self.connection, options, self.outboxes()).await })
    }

    fn queue_state<'a>(
        &'a self,
        queue: &'a str,
    ) -> BoxFuture<'a, Result<Option<QueueState>, BrokerError>> {
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
                // A request whose reply has gone out would run again if it were not acknowledged.
                outboxes.flush(CLOSE_WITHIN).await;
            }
            drop(connection);
            // A broker that does not answer is left alone then.
            let _ = timeout(CLOSE_WITHIN, self.closed()).await;
        })
    }
}

/// A connection that is closed when this is dropped, whatever other handles there are.
struct ClosedOnDrop<C: DriverConnection>(C);

impl<C: DriverConnection> Drop for ClosedOnDrop<C> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Sets why something ended. The first reason is the right one.
fn set_once(reason: &watch::Sender<Option<BrokerError>>, error: BrokerError) {
    reason.send_if_modified(|known| {
        let first = known.is_none();
        known.get_or_insert(error);
        first
    });
}

/// Resolves when a reason for the end is set.
fn when_set(mut reason: watch::Receiver<Option<BrokerError>>) -> BoxFuture<'static, BrokerError> {
    Box::pin(async move {
        match reason.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(|| error::gone("it ended")),
            Err(_) => error::gone("it was closed by this program"),
        }
    })
}

#[cfg(test)]
mod tests;
