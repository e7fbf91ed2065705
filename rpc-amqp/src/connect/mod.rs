//! From addresses to a live connection: finds a place that answers, and does the handshake.

mod attempts;
mod encrypt;
mod error;
mod failure;
mod handshake;
mod options;
mod race;
mod socket;

use std::{
    fmt,
    future::{Future, pending},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use uuid::Uuid;

pub use error::{ConnectError, ConnectErrorKind};
pub(crate) use handshake::Agreed;
pub use options::ConnectOptions;
pub(crate) use options::OnStall;
pub(crate) use socket::Stream;

use self::{
    attempts::nowhere,
    encrypt::Encryption,
    failure::Failure,
    handshake::shake_hands,
    race::{Dial, Failed, race},
};
use crate::{Address, Connection, protocol::Client};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes connections to a broker: to one node, or to one of the nodes of a cluster.
///
/// An attempt tries all addresses, and all IP addresses of their host names. The next place starts when the previous
/// one has failed or is slow. The first place that finishes the handshake is kept.
pub struct Connector {
    addresses: Vec<Address>,
    /// The address that the next attempt starts with.
    next: AtomicUsize,
    options: ConnectOptions,
    encryption: Encryption,
}

impl Connector {
    /// Uses these addresses: `amqp://user:password@host:5672/vhost`, with `%2f` for the virtual host `/`.
    ///
    /// # Errors
    ///
    /// An address is not valid, or asks for TLS. TLS fails if this build does not have it or if it cannot be set up.
    pub fn new(
        addresses: &[impl AsRef<str>],
        options: ConnectOptions,
    ) -> Result<Self, ConnectError> {
        let parse =
            |text: &_| Address::parse(AsRef::as_ref(text), options.heartbeat, options.external);
        let addresses: Vec<Address> = addresses.iter().map(parse).collect::<Result<_, _>>()?;
        let encrypted = addresses.iter().any(Address::is_encrypted);
        Ok(Self {
            addresses,
            // A random start spreads the connections of many programs over a cluster.
            next: AtomicUsize::new(usize::from(Uuid::new_v4().as_bytes()[0])),
            encryption: Encryption::new(encrypted.then_some(&options.tls))?,
            options,
        })
    }

    /// The addresses, without user and password.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Makes a connection. Its I/O task runs on the current runtime. Each place has ten seconds to answer.
    ///
    /// # Errors
    ///
    /// No address leads to a broker that accepts the login.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all attempts.
    pub async fn connect(&self) -> Result<Connection, ConnectError> {
        self.connect_as(&self.options.name, None).await
    }

    /// Makes a connection within a time. RabbitMQ's management pages show this name for it.
    ///
    /// # Errors
    ///
    /// No address leads to a broker that accepts the login.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all attempts.
    pub async fn connect_as(
        &self,
        name: &str,
        by: Option<Instant>,
    ) -> Result<Connection, ConnectError> {
        let (from, all) = (self.next.fetch_add(1, Ordering::Relaxed), self.addresses.len().max(1));
        let in_turn = (0..self.addresses.len()).map(|turn| (from % all + turn) % all);
        let raced = race(&Named { connector: self, name }, in_turn, by).await;
        let (address, (socket, agreed)) =
            raced.map_err(|failed| nowhere(failed, &self.addresses))?;
        Ok(self.start(socket, agreed, &self.addresses[address]))
    }

    /// Makes a connection over your own stream, for example a tunnel or a simulated broker in a test. It uses the
    /// login of the first address.
    ///
    /// # Errors
    ///
    /// The broker refuses the login, or the peer is not a broker.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the attempt and drops the stream.
    pub async fn connect_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Connection, ConnectError> {
        let Some(address) = self.addresses.first() else {
            return Err(nowhere(Vec::new(), &self.addresses));
        };
        let mut socket: Box<dyn Stream> = Box::new(stream);
        let client = self.client(&self.options.name);
        let min_channels = self.options.min_channels;
        let agreed = shake_hands(&mut socket, address, client, min_channels, pending()).await;
        let agreed = agreed.map_err(|failure| {
            nowhere(vec![Failed { address: 0, to: None, failure }], &self.addresses)
        })?;
        Ok(self.start(socket, agreed, address))
    }

    fn start(&self, socket: Box<dyn Stream>, agreed: Agreed, address: &Address) -> Connection {
        Connection::start(socket, agreed, address.user().into(), self.options.on_stall.clone())
    }

    fn client<'a>(&'a self, name: &'a str) -> Client<'a> {
        Client { name, product: &self.options.product, version: &self.options.version }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Makes connections under a name.
struct Named<'a> {
    connector: &'a Connector,
    name: &'a str,
}

impl Dial for Named<'_> {
    type Connected = (Box<dyn Stream>, Agreed);

    fn resolve(&self, address: usize) -> BoxFuture<'_, Result<Vec<SocketAddr>, Failure>> {
        Box::pin(async move {
            let address = &self.connector.addresses[address];
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
            let address = &self.connector.addresses[address];
            let encryption = &self.connector.encryption;
            let mut socket = socket::open(address, to, encryption, &reached).await?;
            let http = socket::speaks_http(address, to);
            let client = self.connector.client(self.name);
            let min_channels = self.connector.options.min_channels;
            let agreed = shake_hands(&mut socket, address, client, min_channels, http).await?;
            Ok((socket, agreed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_several_addresses_may_be_the_first() {
        let first = || {
            let options = ConnectOptions::default();
            let connector = Connector::new(&["amqp://a", "amqp://b"], options).unwrap();
            connector.next.load(Ordering::Relaxed) % 2
        };
        let firsts: Vec<usize> = (0..64).map(|_| first()).collect();
        assert!(firsts.contains(&0) && firsts.contains(&1), "{firsts:?}");
    }
}
