//! RabbitMQ: AMQP 0-9-1, as much of it as calls need. Nothing outside this folder knows any of it.
//!
//! A connection that is lost is never repaired: a new one follows it, with new channels, queues and consumers.

mod address;
mod backlog;
mod caller;
mod channel;
mod dial;
mod direct_reply_to;
mod error;
mod handshake;
mod mux;
mod outbox;
mod proven;
mod refusal;
mod requests;
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
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use smol_str::SmolStr;
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};
use uuid::Uuid;

use self::{
    address::Address,
    backlog::Backlog,
    dial::{Dial, dial},
    handshake::{Agreed, Failure},
    mux::{Ended, Mux, Pump},
    outbox::{ClosedOnDrop, Outboxes},
    socket::{Security, Stream},
};
use super::{
    Blocked, BoxFuture, CallerChannel, CallerOptions, CallerSink, Link, ListenerOptions,
    OpenWorker, QueueState, Transport, WorkerOptions,
};
use crate::{broker::Tls, error::BrokerError, tasks};

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

/// RabbitMQ, as it is connected to.
pub(crate) struct AmqpTransport(Arc<Dialer>);

/// The nodes of a RabbitMQ cluster, tried in turn.
struct Dialer {
    addresses: Vec<Address>,
    /// The address that is tried first the next time.
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
        Ok(Self(Arc::new(Dialer {
            addresses,
            // Anywhere, so that the connections of many programs spread over a cluster.
            next: AtomicUsize::new(usize::from(Uuid::new_v4().as_bytes()[0])),
            name: options.name.to_owned(),
            security: Security::new(encrypted.then_some(options.tls))?,
        })))
    }
}

impl Dialer {
    /// Makes a connection, which is called `name` in the broker's pages, and says who is logged in.
    async fn dial(
        &self,
        name: &str,
        by: Option<Instant>,
    ) -> Result<(Arc<Mux>, SmolStr), BrokerError> {
        let (from, all) = (self.next.fetch_add(1, Ordering::Relaxed), self.addresses.len());
        let in_turn = (0..all).map(|turn| (from % all + turn) % all);
        let dialed = dial(&Named { dialer: self, name }, in_turn, by).await;
        let (address, (socket, agreed)) =
            dialed.map_err(|failed| error::nowhere(failed, &self.addresses))?;
        let (pump, mux) = Pump::new(socket, agreed);
        tasks::spawn(pump);
        Ok((mux, self.addresses[address].user().into()))
    }

    /// Makes a connection that does nothing but carry replies to direct reply-to.
    async fn dial_for_direct_replies(&self) -> Result<Arc<Mux>, BrokerError> {
        let name = format!("{} (direct replies)", self.name);
        self.dial(&name, None).await.map(|(mux, _)| mux)
    }
}

impl fmt::Debug for AmqpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpTransport").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// What makes connections that the broker's pages show under a name.
struct Named<'a> {
    dialer: &'a Dialer,
    name: &'a str,
}

impl Dial for Named<'_> {
    type Connected = (Box<dyn Stream>, Agreed);

    fn resolve(&self, address: usize) -> BoxFuture<'_, Result<Vec<SocketAddr>, Failure>> {
        Box::pin(async move {
            let address = &self.dialer.addresses[address];
            socket::resolve(address.host(), address.port()).await
        })
    }

    fn connect(
        &self,
        address: usize,
        to: SocketAddr,
        reached: Arc<AtomicBool>,
    ) -> BoxFuture<'_, Result<Self::Connected, Failure>> {
        Box::pin(async move {
            let address = &self.dialer.addresses[address];
            let mut socket = socket::open(address, to, &self.dialer.security, &reached).await?;
            let http = socket::speaks_http(address, to);
            let agreed = handshake::shake_hands(&mut socket, address, self.name, http).await?;
            Ok((socket, agreed))
        })
    }
}

impl Transport for AmqpTransport {
    fn connect(&self, by: Option<Instant>) -> BoxFuture<'_, Result<Arc<dyn Link>, BrokerError>> {
        Box::pin(async move {
            let (mux, user) = self.0.dial(&self.0.name, by).await?;
            let link: Arc<dyn Link> = Arc::new(AmqpLink::new(mux, user, self.0.clone()));
            Ok(link)
        })
    }

    fn address(&self) -> String {
        let addresses: Vec<String> = self.0.addresses.iter().map(Address::to_string).collect();
        addresses.join(", ")
    }
}

struct AmqpLink {
    mux: Arc<Mux>,
    /// Who is logged in.
    user: SmolStr,
    backlog: Arc<Backlog>,
    dialer: Arc<Dialer>,
    /// The runtime of the connection.
    runtime: Handle,
    /// Set once something is served.
    outboxes: OnceLock<Arc<Outboxes>>,
}

impl AmqpLink {
    /// To be called on the runtime of the connection.
    fn new(mux: Arc<Mux>, user: SmolStr, dialer: Arc<Dialer>) -> Self {
        let backlog = Backlog::new(mux.blocked().clone());
        let (runtime, outboxes) = (Handle::current(), OnceLock::new());
        Self { mux, user, backlog, dialer, runtime, outboxes }
    }

    fn outboxes(&self) -> Arc<Outboxes> {
        let start =
            || Arc::new(Outboxes::new(self.mux.clone(), self.dialer.clone(), &self.runtime));
        self.outboxes.get_or_init(start).clone()
    }
}

impl Drop for AmqpLink {
    fn drop(&mut self) {
        self.mux.say_goodbye();
    }
}

impl Link for AmqpLink {
    fn open_caller(
        &self,
        options: CallerOptions,
        sink: Arc<dyn CallerSink>,
    ) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async move {
            let (mux, user) = (self.mux.clone(), self.user.clone());
            let backlog = self.backlog.clone();
            let setup = caller::Setup { mux, user, backlog, options, sink };
            let caller = caller::open(setup).await?;
            let caller: Arc<dyn CallerChannel> = Arc::new(caller);
            Ok(caller)
        })
    }

    fn open_worker(
        &self,
        options: WorkerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(async { worker::open(&self.mux, options, self.outboxes()).await })
    }

    fn open_listener(
        &self,
        options: ListenerOptions,
    ) -> BoxFuture<'_, Result<OpenWorker, BrokerError>> {
        Box::pin(async { worker::listen(&self.mux, options, self.outboxes()).await })
    }

    fn queue_state<'a>(
        &'a self,
        queue: &'a str,
    ) -> BoxFuture<'a, Result<Option<QueueState>, BrokerError>> {
        Box::pin(topology::queue_state(&self.mux, queue))
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        let mut ended = self.mux.ended();
        Box::pin(async move {
            match ended.wait_for(Option::is_some).await {
                Ok(why) => error::ended(why.clone().unwrap_or(Ended::Closed)),
                Err(_) => error::ended(Ended::Closed),
            }
        })
    }

    fn channels(&self) -> Option<u16> {
        Some(self.mux.most_channels())
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.mux.blocked().subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let connection = ClosedOnDrop(self.mux.clone());
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

#[cfg(test)]
mod tests;
