//! RabbitMQ, through lapin. Nothing outside this folder names lapin.
//!
//! lapin's own recovery stays off: a connection that is lost is followed by a new one with new channels, queues and
//! consumers. Connections, channels, queues and consumers are lapin's business; messages pass it by, see [`mux`].

mod address;
mod backlog;
mod caller;
mod channel;
mod error;
mod mux;
mod refusal;
mod requests;
mod runtime;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod topology;
mod wire;
mod worker;

#[cfg(fuzzing)]
pub(crate) use mux::check as fuzz_frames;
#[cfg(fuzzing)]
pub(crate) use wire::fuzz_properties;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lapin::{Connection, ConnectionProperties, Event, tcp::AsyncTcpStream, uri::AMQPUri};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_stream::StreamExt as _;
use tracing::{info, warn};

use self::{
    address::Address,
    backlog::Backlog,
    mux::Mux,
    runtime::Piped,
    socket::{Security, Shutter},
};
use super::{
    Blocked, BoxFuture, CallerChannel, CallerOptions, CallerSink, Link, ListenerOptions,
    OpenWorker, QueueState, Transport, WorkerOptions,
};
use crate::{
    broker::Tls,
    error::{BrokerError, BrokerErrorKind},
    tasks,
};

/// How long a polite goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What it takes to connect.
#[derive(Debug)]
pub(crate) struct AmqpOptions<'a> {
    pub(crate) addresses: &'a [String],
    pub(crate) name: &'a str,
    pub(crate) heartbeat: Duration,
    pub(crate) tls: &'a Tls,
    /// Log in by certificate.
    pub(crate) external: bool,
}

/// The nodes of a RabbitMQ cluster, tried in turn.
pub(crate) struct AmqpTransport {
    addresses: Vec<Address>,
    next: AtomicUsize,
    name: String,
    security: Security,
}

impl AmqpTransport {
    pub(crate) fn new(options: &AmqpOptions<'_>) -> Result<Self, BrokerError> {
        let parse = |text: &String| Address::parse(text, options.heartbeat, options.external);
        let addresses: Vec<Address> =
            options.addresses.iter().map(parse).collect::<Result<_, _>>()?;
        let encrypted = addresses.iter().any(Address::is_encrypted);
        Ok(Self {
            addresses,
            next: AtomicUsize::new(0),
            name: options.name.to_owned(),
            security: Security::new(encrypted.then_some(options.tls))?,
        })
    }
}

impl fmt::Debug for AmqpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpTransport").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl Transport for AmqpTransport {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Link>, BrokerError>> {
        Box::pin(async move {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
            let Some(address) = self.addresses.get(turn) else {
                return Err(BrokerError::new(BrokerErrorKind::InvalidAddress, "no address"));
            };
            let properties =
                ConnectionProperties::default().with_connection_name(self.name.as_str().into());
            // Dropped with this future when the deadline passes, or with the link.
            let shutter = Shutter::default();
            let encrypted = address.is_encrypted();
            let connector = shutter.connector(encrypted.then(|| self.security.clone()));
            let connect = async move |uri: AMQPUri, _| {
                let socket = connector.connect(uri.authority.host, uri.authority.port).await?;
                Ok(AsyncTcpStream::Plain(socket))
            };
            let connection =
                Connection::connector(address.uri(), Piped::current(), connect, properties)
                    .await
                    .map_err(|error| error::connecting(error, address))?;
            let mux = shutter.mux().ok_or_else(|| error::gone("it has no socket"))?;
            let link: Arc<dyn Link> =
                Arc::new(AmqpLink::new(connection, mux, shutter, address.to_string()));
            Ok(link)
        })
    }

    fn address(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(Address::to_string).collect();
        addresses.join(", ")
    }
}

struct AmqpLink {
    connection: Arc<Connection>,
    mux: Arc<Mux>,
    closed: watch::Sender<Option<BrokerError>>,
    blocked: watch::Sender<Blocked>,
    backlog: Arc<Backlog>,
    watcher: JoinHandle<()>,
    /// After the connection, which says goodbye when it is dropped.
    _shutter: Shutter,
}

impl AmqpLink {
    fn new(connection: Connection, mux: Arc<Mux>, shutter: Shutter, address: String) -> Self {
        let closed = watch::Sender::new(None);
        let reason = closed.clone();
        let blocked = watch::Sender::new(Blocked::default());
        let alarms = blocked.clone();
        let status = connection.status().clone();
        let mut events = Box::pin(connection.events_listener());
        let watcher = tasks::spawn(async move {
            let ended = loop {
                match events.next().await {
                    // Errors of channels are announced here, too.
                    Some(Event::Error(error)) if !status.connected() => break error::lost(&error),
                    Some(Event::ConnectionBlocked(alarm)) => {
                        warn!(broker = address, alarm, "the broker takes no messages for now");
                        alarms.send_modify(|blocked| blocked.alarm = Some(alarm.into()));
                    }
                    Some(Event::ConnectionUnblocked) => {
                        info!(broker = address, "the broker takes messages again");
                        alarms.send_modify(|blocked| blocked.alarm = None);
                    }
                    Some(_) => {}
                    None => break error::gone("the connection was closed"),
                }
            };
            set_once(&reason, ended);
        });
        let backlog = Backlog::new(blocked.clone());
        let connection = Arc::new(connection);
        Self { connection, mux, closed, blocked, backlog, watcher, _shutter: shutter }
    }
}

impl Drop for AmqpLink {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Link for AmqpLink {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async move {
            let (connection, mux) = (self.connection.clone(), self.mux.clone());
            let backlog = self.backlog.clone();
            let setup = caller::Setup { connection, mux, backlog, options, sink };
            let caller = caller::open(setup).await?;
            let caller: Arc<dyn CallerChannel> = Arc::new(caller);
            Ok(caller)
        })
    }

    fn open_worker(
        &self,
        options: WorkerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(worker::open(&self.connection, &self.mux, options))
    }

    fn open_listener(
        &self,
        options: ListenerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(worker::listen(&self.connection, &self.mux, options))
    }

    fn queue_state<'a>(
        &'a self,
        queue: &'a str,
    ) -> BoxFuture<'a, Result<Option<QueueState>, BrokerError>> {
        Box::pin(topology::queue_state(&self.connection, queue))
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.closed.subscribe())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.blocked.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // A broker that does not answer is left to its heartbeat; one that is gone needs no goodbye.
            let _ = timeout(CLOSE_WITHIN, self.connection.close(200, "goodbye".into())).await;
            // lapin announces only ends that it did not ask for.
            set_once(&self.closed, error::gone("it was closed by this program"));
        })
    }
}

/// Says why something ended; whoever is first is right.
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
