//! TLS for `amqps://`: rustls, and verification that cannot be turned off.

use std::io;

use tokio::net::TcpStream;

use super::{ConnectError, failure::Failure, socket::Stream};
use crate::Tls;

/// Encrypts sockets. Without the feature `tls` it cannot.
pub(super) struct Encryption {
    #[cfg(feature = "tls")]
    handshake: Option<rustls::Handshake>,
}

impl Encryption {
    #[cfg(feature = "tls")]
    pub(super) fn new(tls: Option<&Tls>) -> Result<Self, ConnectError> {
        Ok(Self { handshake: tls.map(rustls::Handshake::new).transpose()? })
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(super) fn new(_: Option<&Tls>) -> Result<Self, ConnectError> {
        Ok(Self {})
    }

    #[cfg(feature = "tls")]
    pub(super) async fn connect(
        &self,
        host: String,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, Failure> {
        match &self.handshake {
            Some(handshake) => {
                let encrypted = handshake.connect(host, stream).await;
                Ok(Box::new(encrypted.map_err(rustls::failure)?))
            }
            None => Err(Failure::Insecure(io::ErrorKind::Unsupported.into())),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_async, reason = "with TLS it waits")]
    pub(super) async fn connect(
        &self,
        _: String,
        _: TcpStream,
    ) -> Result<Box<dyn Stream>, Failure> {
        Err(Failure::Insecure(io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(feature = "tls")]
mod rustls;
