//! The socket: ours, encrypted or not.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{address::Address, handshake::Failure};
use crate::{broker::Tls, error::BrokerError, limits};

/// Where the name of a host leads.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(Failure::Unresolved)?;
    let found: Vec<SocketAddr> = found.take(limits::MOST_PLACES).collect();
    if found.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "the name leads to no address");
        return Err(Failure::Unresolved(nothing));
    }
    Ok(found)
}

/// Connects to one of the places that an address leads to, and notes as soon as somebody there has taken the connection.
pub(super) async fn open(
    address: &Address,
    to: SocketAddr,
    security: &Security,
    reached: &AtomicBool,
) -> Result<Box<dyn Stream>, Failure> {
    let stream = TcpStream::connect(to).await?;
    reached.store(true, Ordering::Relaxed);
    // Requests are small and somebody waits for each.
    stream.set_nodelay(true)?;
    if address.is_encrypted() {
        security.connect(address.host().to_owned(), stream).await
    } else {
        Ok(Box::new(stream))
    }
}

/// Resolves if an HTTP server is there, such as that of RabbitMQ's web pages. It does not answer a broker's greeting, since
/// that is no whole line: it waits for the rest, so it has to be asked.
pub(super) async fn speaks_http(address: &Address, to: SocketAddr) {
    sleep(limits::HTTP_ASKED).await;
    let asked = async {
        let mut stream = TcpStream::connect(to).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut came = [0; 4];
        stream.read_exact(&mut came).await?;
        Ok::<_, io::Error>(came == *b"HTTP")
    };
    if address.is_encrypted() || !asked.await.unwrap_or(false) {
        pending::<()>().await;
    }
}

/// How sockets are encrypted; nothing can be, unless this was built with TLS.
#[derive(Clone)]
pub(super) struct Security {
    #[cfg(feature = "tls")]
    handshake: Option<super::tls::Handshake>,
}

impl Security {
    #[cfg(feature = "tls")]
    pub(super) fn new(tls: Option<&Tls>) -> Result<Self, BrokerError> {
        Ok(Self { handshake: tls.map(super::tls::Handshake::new).transpose()? })
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(super) fn new(_: Option<&Tls>) -> Result<Self, BrokerError> {
        Ok(Self {})
    }

    #[cfg(feature = "tls")]
    async fn connect(&self, host: String, stream: TcpStream) -> Result<Box<dyn Stream>, Failure> {
        match &self.handshake {
            Some(handshake) => {
                let encrypted = handshake.connect(host, stream).await;
                Ok(Box::new(encrypted.map_err(super::tls::failure)?))
            }
            None => Err(Failure::Insecure(io::ErrorKind::Unsupported.into())),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_async, reason = "with TLS it waits")]
    async fn connect(&self, _: String, _: TcpStream) -> Result<Box<dyn Stream>, Failure> {
        Err(Failure::Insecure(io::ErrorKind::Unsupported.into()))
    }
}

/// Bytes to and from a broker.
pub(super) trait Stream:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}
