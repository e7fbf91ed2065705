//! The TLS handshake.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use super::super::{ConnectError, ConnectErrorKind, failure::Failure};
use crate::Tls;

/// Makes TLS connections as a [`Tls`] describes.
pub(super) struct Handshake(TlsConnector);

impl Handshake {
    pub(super) fn new(tls: &Tls) -> Result<Self, ConnectError> {
        let config = configure(tls).map_err(|error| {
            let message = "TLS cannot be set up with the certificates and keys given";
            let cause = io::Error::new(io::ErrorKind::InvalidInput, error);
            ConnectError::new(ConnectErrorKind::InvalidAddress, message).caused_by(cause)
        })?;
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn connect(
        &self,
        host: String,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.0.connect(name, stream).await
    }
}

/// How a handshake failed: what answers may not speak TLS at all.
pub(super) fn failure(error: io::Error) -> Failure {
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
