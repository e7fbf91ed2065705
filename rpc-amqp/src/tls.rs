//! The TLS settings of connections.

use std::fmt;

/// How to connect to an `amqps://` address.
///
/// The broker's certificate and its name are always verified. By default, an authority that this machine trusts has to
/// have signed it.
#[derive(Clone, Default)]
#[must_use = "it does nothing until a connection is made with it"]
pub struct Tls {
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "read where there is TLS"))]
    pub(crate) roots: Option<Vec<u8>>,
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "read where there is TLS"))]
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// Trusts the authorities that this machine trusts. Uses no client certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts only these authorities. The argument is one or more PEM certificates.
    pub fn roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Uses a client certificate and its private key, both in PEM. Intermediate certificates follow the certificate.
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
