//! How connections are encrypted.

use std::fmt;

/// How a connection to an `amqps://` address is made.
///
/// The broker's certificate and its name are always verified. Without more, it has to be signed by an authority that this machine
/// trusts.
#[derive(Clone, Default)]
#[must_use = "it does nothing until a connection is made with it"]
pub struct Tls {
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "read where there is TLS"))]
    pub(crate) roots: Option<Vec<u8>>,
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "read where there is TLS"))]
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// The authorities that this machine trusts, and no certificate of the client.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these authorities and no others. Certificates in PEM, one after another.
    pub fn roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Shows the broker a certificate (in PEM, with those between it and the root behind it) and its private key (PEM).
    pub fn identity(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificates.into(), key.into()));
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("own_roots", &self.roots.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}
