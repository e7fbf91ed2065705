//! The socket: ours, encrypted or not.

use std::io;

use tokio::net::TcpStream;

use super::{address::Address, handshake::Failure};
use crate::{broker::Tls, error::BrokerError};

/// Connects to where an address leads.
pub(super) async fn open(
    address: &Address,
    security: &Security,
) -> Result<Box<dyn Stream>, Failure> {
    let stream = TcpStream::connect((address.host(), address.port())).await?;
    // Requests are small and somebody waits for each.
    stream.set_nodelay(true)?;
    if address.is_encrypted() {
        security.connect(address.host().to_owned(), stream).await.map_err(Failure::Insecure)
    } else {
        Ok(Box::new(stream))
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
    async fn connect(&self, host: String, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        match &self.handshake {
            Some(handshake) => Ok(Box::new(handshake.connect(host, stream).await?)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_async, reason = "with TLS it waits")]
    async fn connect(&self, _: String, _: TcpStream) -> io::Result<Box<dyn Stream>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Bytes to and from a broker.
pub(super) trait Stream:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}
