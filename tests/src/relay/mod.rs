mod pump;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::pump::pump;

/// A TCP relay between a client and a broker that simulates network faults.
///
/// A fault applies to current and new connections until [`resume`](Self::resume).
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// The direction of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the broker.
    ToBroker,
    /// From the broker to the client.
    ToClient,
    /// Both ways.
    Both,
}

#[derive(Debug)]
struct Shared {
    target: String,
    faults: watch::Sender<Faults>,
    accepted: AtomicU64,
    open: AtomicUsize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    refuse: bool,
    to_broker: Flow,
    to_client: Flow,
    delay: Duration,
    /// Incremented to cut all open connections.
    cuts: u64,
    /// How many more bytes may pass before the next cut.
    allowance: Option<u64>,
}

/// The handling of bytes in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Pass,
    /// Not read: the sender's system accepts them until its buffers are full.
    Hold,
    /// Read and thrown away.
    Drop,
}

impl Relay {
    /// Starts a relay to this `host:port` on a free port.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn to(target: impl Into<String>) -> Self {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("some port of the loopback is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            target: target.into(),
            faults: watch::Sender::default(),
            accepted: AtomicU64::new(0),
            open: AtomicUsize::new(0),
        });
        let task = tokio::spawn(shared.clone().serve(listener, address));
        Self { address, shared, task }
    }

    /// The address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every open connection. New ones are accepted.
    pub fn cut(&self) {
        self.shared.faults.send_modify(|faults| faults.cuts += 1);
    }

    /// Ends every connection once so many more bytes have passed, over all connections and both ways.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.faults.send_modify(|faults| faults.allowance = Some(bytes));
    }

    /// Forwards nothing and closes nothing (half-open). The bytes are forwarded after [`resume`](Self::resume).
    pub fn stall(&self, direction: Direction) {
        self.set(direction, Flow::Hold);
    }

    /// Reads bytes and throws them away.
    pub fn swallow(&self, direction: Direction) {
        self.set(direction, Flow::Drop);
    }

    /// Delays every piece.
    pub fn delay(&self, delay: Duration) {
        self.shared.faults.send_modify(|faults| faults.delay = delay);
    }

    /// Refuses new connections, like a closed port.
    pub fn refuse(&self) {
        self.shared.faults.send_modify(|faults| faults.refuse = true);
    }

    /// Ends all faults.
    pub fn resume(&self) {
        self.shared.faults.send_modify(|faults| {
            *faults = Faults { cuts: faults.cuts, ..Faults::default() };
        });
    }

    /// How many connections have been accepted so far.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    fn set(&self, direction: Direction, flow: Flow) {
        self.shared.faults.send_modify(|faults| {
            if direction != Direction::ToClient {
                faults.to_broker = flow;
            }
            if direction != Direction::ToBroker {
                faults.to_client = flow;
            }
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, listener: TcpListener, address: SocketAddr) {
        let mut faults = self.faults.subscribe();
        let mut connections = JoinSet::new();
        let mut listener = Some(listener);
        loop {
            if faults.borrow_and_update().refuse {
                listener = None;
            } else if listener.is_none() {
                listener = TcpListener::bind(address).await.ok();
            }
            tokio::select! {
                accepted = accept(listener.as_ref()) => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    let cuts = self.faults.borrow().cuts;
                    connections.spawn(self.clone().connect(accepted, cuts));
                }
                // The sender is in `self`, so the channel stays open.
                _ = faults.changed() => {}
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connect(self: Arc<Self>, client: TcpStream, cuts: u64) {
        let _open = Open::count(&self.open);
        let Ok(broker) = TcpStream::connect(&self.target).await else { return };
        // Do not delay small messages here either.
        let _ = (client.set_nodelay(true), broker.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_broker, to_broker) = broker.into_split();
        tokio::select! {
            () = pump(from_client, to_broker, &self.faults, cuts, |faults| faults.to_broker) => {}
            () = pump(from_broker, to_client, &self.faults, cuts, |faults| faults.to_client) => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    if let Some(listener) = listener
        && let Ok((stream, _)) = listener.accept().await
    {
        return stream;
    }
    std::future::pending().await
}

/// Counts a connection for as long as it lives.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn count(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
