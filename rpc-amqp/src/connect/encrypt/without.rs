//! Replaces TLS in a build without it.

use std::io;

use tokio::net::TcpStream;

use crate::{
    Tls,
    connect::{ConnectError, Stream, failure::Failure},
};

/// Encrypts nothing. Addresses that ask for TLS were refused earlier.
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
