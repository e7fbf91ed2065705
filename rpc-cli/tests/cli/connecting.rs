//! How the program gets to the servers: `--exchange` and `--ca`.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rpc_runtime::{Broker, Server, Tls};
use rpc_tests::{Node, NodeBuilder};

use crate::{
    run::rpc,
    sample::{CalculatorServer, Exact, Place},
};

#[tokio::test]
async fn requests_go_to_the_given_exchange() {
    let place = Place::new().await;
    let broker = Broker::builder(&place.url).exchange("requests").connect().await.unwrap();
    let server =
        Server::builder(&broker).service(CalculatorServer::new(Exact)).start().await.unwrap();

    let call = ["call", "Calculator.add", "1", "2"];
    let given = [&call[..], &["--exchange", "requests"]].concat();
    assert_eq!(place.rpc(&given).await.printed(), "3");
    let refused = place.rpc(&call).await;
    let stderr = refused.failed(1);
    assert!(stderr.contains("requests come by the exchange \"requests\" alone"), "{stderr}");
    let missing = place.rpc(&[&call[..], &["--exchange", "nothing"]].concat()).await;
    missing.failed(3);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_given_authority_is_trusted() {
    let (authority, issuer) = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let port = NodeBuilder::free_port();
    let _node = Node::builder()
        .config(format!("listeners.ssl.1 = 127.0.0.1:{port}"))
        .file("ca.pem", &authority)
        .file("server.pem", certificate)
        .file("server.key", key.serialize_pem())
        .config("ssl_options.cacertfile = $NODE/ca.pem")
        .config("ssl_options.certfile = $NODE/server.pem")
        .config("ssl_options.keyfile = $NODE/server.key")
        .start()
        .await;
    let url = format!("amqps://guest:guest@localhost:{port}/%2f");
    let trusting = Broker::builder(&url).tls(Tls::new().roots(authority.clone()));
    let server = Server::builder(&trusting.connect().await.unwrap())
        .service(CalculatorServer::new(Exact))
        .start()
        .await
        .unwrap();

    let file = std::env::temp_dir().join(rpc_tests::unique("authority"));
    fs::write(&file, &authority).unwrap();
    let path = file.to_str().unwrap();
    let trusted = rpc(&url, &["call", "Calculator.add", "1", "2", "--ca", path]).await;
    let unknown = rpc(&url, &["ls"]).await;
    fs::write(&file, self::authority().0).unwrap();
    let another = rpc(&url, &["ls", "--ca", path]).await;
    fs::remove_file(&file).unwrap();
    let missing = rpc(&url, &["ls", "--ca", path]).await;

    assert_eq!(trusted.printed(), "3");
    for refused in [unknown, another] {
        let stderr = refused.failed(5);
        assert!(stderr.contains("certificate"), "{stderr}");
        assert!(!stderr.contains("guest:guest"), "{stderr}");
    }
    missing.failed(2);
    server.shutdown().await.unwrap();
}

/// A throwaway authority: its certificate and its key.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}
