//! In the place of TLS, in a build that has none.

use std::io;

use tokio::net::TcpStream;

use crate::{
    Tls,
    connect::{ConnectError, Stream, failure::Failure},
};

/// Encrypts nothing. Addresses that ask for it are refused before.
pub(in crate::connect) struct Encryption;

impl Encryption {
    #[allow(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(in crate::connect) fn new(_: Option<&Tls>) -> Result<Self, ConnectError> {
        Ok(Self)
    }

    #[allow(clippy::unused_async, reason = "with TLS it waits")]
    pub(in crate::connect) async fn connect(
        &self,
        _: String,
        _: TcpStream,
    ) -> Result<Box<dyn Stream>, Failure> {
        Err(Failure::Insecure(io::ErrorKind::Unsupported.into()))
    }
}
