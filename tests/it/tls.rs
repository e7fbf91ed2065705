//! TLS with RabbitMQ's listener, and a certificate authority for each test.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rpc_runtime::{Broker, BrokerBuilder, BrokerError, BrokerErrorKind, Tls};
use rpc_tests::Node;

use crate::brokers::Pair;

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "throwaway authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Signs a certificate for a name; returns it with its key.
    fn signs(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A node with a TLS listener, whose certificate is for `localhost`.
struct Encrypted {
    node: Node,
    port: u16,
    authority: Authority,
}

impl Encrypted {
    async fn start() -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.signs("localhost");
        let port = rpc_tests::NodeBuilder::free_port();
        let node = Node::builder()
            .plugin("rabbitmq_auth_mechanism_ssl")
            .config(format!("listeners.ssl.1 = 127.0.0.1:{port}"))
            .file("ca.pem", &authority.pem)
            .file("server.pem", certificate)
            .file("server.key", key)
            .config("ssl_options.cacertfile = $NODE/ca.pem")
            .config("ssl_options.certfile = $NODE/server.pem")
            .config("ssl_options.keyfile = $NODE/server.key")
            .config("ssl_options.verify = verify_peer")
            .config("ssl_options.fail_if_no_peer_cert = false")
            .config("ssl_cert_login_from = common_name")
            .config("auth_mechanisms.1 = PLAIN")
            .config("auth_mechanisms.2 = EXTERNAL")
            .start()
            .await;
        Self { node, port, authority }
    }

    fn builder(&self, host: &str, tls: Tls) -> BrokerBuilder {
        Broker::builder(&format!("amqps://guest:guest@{host}:{}/%2f", self.port))
            .connect_timeout(Duration::from_secs(2))
            .tls(tls)
    }

    /// An `amqp` address with the port for TLS.
    fn wrongly_plain(&self) -> BrokerBuilder {
        Broker::builder(&format!("amqp://guest:guest@localhost:{}/%2f", self.port))
    }
}

fn whole(error: &BrokerError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn calls_are_encrypted_and_certificates_checked() {
    let encrypted = Encrypted::start().await;
    let trusted = || Tls::new().roots(encrypted.authority.pem.clone());

    let broker = encrypted.builder("localhost", trusted()).connect().await.unwrap();
    let pair = Pair::new(broker).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.client.echo(vec![7; 300_000]).await.unwrap(), vec![7; 300_000]);
    pair.server.shutdown().await.unwrap();

    let stranger = Tls::new().roots(Authority::new().pem);
    for (host, tls, reason) in [
        ("localhost", stranger, "UnknownIssuer"),
        ("localhost", Tls::new(), "UnknownIssuer"),
        ("127.0.0.1", trusted(), "NotValidForName"),
    ] {
        let error = encrypted.builder(host, tls).connect().await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
        let text = whole(&error);
        assert!(text.contains(reason) || text.contains("certificate"), "{text}");
    }

    // Only one end encrypts.
    let start = Instant::now();
    let error = encrypted.wrongly_plain().connect().await.unwrap_err();
    assert!(error.to_string().contains("but TLS: write amqps://"), "{error}");
    let plain = encrypted.node.url().replace("amqp://", "amqps://");
    let error = Broker::builder(&plain).tls(trusted()).connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress);
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());

    // A certificate instead of a password.
    let (certificate, key) = encrypted.authority.signs("reporter");
    encrypted.node.add_user("reporter", "unused", [".*", ".*", ".*"]).await;
    let tls = trusted().identity(certificate, key.clone());
    assert!(!format!("{tls:?}").contains("KEY"));
    let builder = encrypted.builder("localhost", tls).login_by_certificate();
    let pair = Pair::new(builder.connect().await.unwrap()).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();

    // A certificate without a user in RabbitMQ.
    let (certificate, key) = encrypted.authority.signs("nobody");
    let tls = trusted().identity(certificate, key);
    let builder = encrypted.builder("localhost", tls).login_by_certificate();
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::CredentialsRefused, "{error}");
    assert!(error.to_string().contains("no user for the certificate"), "{error}");
}

#[tokio::test]
async fn invalid_certificates_are_refused_before_connecting() {
    for tls in [
        Tls::new().roots("no certificate"),
        Tls::new().roots(Authority::new().pem).identity("none", "secret key"),
    ] {
        let error = Broker::builder("amqps://localhost").tls(tls).connect().await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress);
        assert!(!whole(&error).contains("secret"), "{error}");
    }
}
