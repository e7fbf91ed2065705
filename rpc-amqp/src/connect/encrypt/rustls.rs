//! The TLS handshake.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use crate::{
    Tls,
    connect::{ConnectError, ConnectErrorKind, Stream, failure::Failure},
};

/// Encrypts sockets as a [`Tls`] describes, if any address asks for it.
pub(in crate::connect) struct Encryption(Option<TlsConnector>);

impl Encryption {
    pub(in crate::connect) fn new(tls: Option<&Tls>) -> Result<Self, ConnectError> {
        let config = tls.map(configure).transpose().map_err(|error| {
            let message = "TLS cannot be set up with the certificates and keys given";
            let cause = io::Error::new(io::ErrorKind::InvalidInput, error);
            ConnectError::new(ConnectErrorKind::InvalidAddress, message).caused_by(cause)
        })?;
        Ok(Self(config.map(|config| TlsConnector::from(Arc::new(config)))))
    }

    pub(in crate::connect) async fn connect(
        &self,
        host: String,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, Failure> {
        let Some(connector) = &self.0 else {
            return Err(Failure::Insecure(io::ErrorKind::Unsupported.into()));
        };
        let name = ServerName::try_from(host)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error));
        let name = name.map_err(Failure::Insecure)?;
        Ok(Box::new(connector.connect(name, stream).await.map_err(failure)?))
    }
}

/// How a handshake failed: what answers may not speak TLS at all.
fn failure(error: io::Error) -> Failure {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(rustls::Error::InvalidMessage(_)) => Failure::Plain,
        _ => Failure::Insecure(error),
    }
}

fn configure(tls: &Tls) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(tls)?);
    match &tls.identity {
        None => Ok(config.with_no_client_auth()),
        Some((certificates, key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(unreadable)?;
            config.with_client_auth_cert(read(certificates)?, key)
        }
    }
}

fn roots(tls: &Tls) -> Result<RootCertStore, rustls::Error> {
    let mut store = RootCertStore::empty();
    if let Some(pem) = &tls.roots {
        for certificate in read(pem)? {
            store.add(certificate)?;
        }
    } else {
        // Certificates that cannot be read are left out.
        let found = rustls_native_certs::load_native_certs();
        let _ = store.add_parsable_certificates(found.certs);
    }
    if store.is_empty() {
        return Err(rustls::Error::General("there is no certificate to trust".to_owned()));
    }
    Ok(store)
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::Error> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)
}

/// Without any of the text that could not be read: it may be a key.
fn unreadable(_: rustls::pki_types::pem::Error) -> rustls::Error {
    rustls::Error::General("a certificate or a key is not PEM".to_owned())
}
