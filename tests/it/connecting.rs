//! What somebody sees who cannot connect. No message shows a password.

use std::{error::Error, time::Duration};

use rpc_runtime::{Broker, BrokerError, BrokerErrorKind};
use rpc_tests::Rabbit;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// The whole chain of an error, as a program prints it.
fn in_full(error: &BrokerError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause} {cause:?}");
        source = cause.source();
    }
    text
}

async fn refused(address: &str) -> BrokerError {
    let connecting = Broker::builder(address).connect_timeout(Duration::from_millis(400)).connect();
    let error = connecting.await.unwrap_err();
    let text = in_full(&error);
    assert!(!text.contains("sw0rdfish"), "{text}");
    error
}

/// The shared broker's address with another user, password and virtual host.
async fn with_login(login: &str, vhost: &str) -> String {
    let url = Rabbit::shared().await.url();
    let host = url.rsplit_once('@').unwrap().1.split('/').next().unwrap();
    format!("amqp://{login}@{host}{vhost}")
}

#[tokio::test]
async fn a_wrong_password_names_the_user_and_is_not_tried_again() {
    let error = refused(&with_login("guest:sw0rdfish", "/%2f").await).await;
    assert_eq!(error.kind(), BrokerErrorKind::CredentialsRefused);
    assert!(error.is_permanent());
    assert!(error.to_string().contains("\"guest\""), "{error}");
}

#[tokio::test]
async fn an_unknown_virtual_host_is_named() {
    let error = refused(&with_login("guest:guest", "/nowhere").await).await;
    assert_eq!(error.kind(), BrokerErrorKind::VirtualHostRefused);
    assert!(error.to_string().contains("\"nowhere\""), "{error}");
    let error = refused(&with_login("guest:guest", "/").await).await;
    assert!(error.to_string().contains("ends with a slash"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_tried_until_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = refused(&format!("amqp://guest:sw0rdfish@127.0.0.1:{port}/%2f")).await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(!error.is_permanent());
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.source().unwrap().to_string().contains("refused"), "{error:?}");
}

#[tokio::test]
async fn a_broker_that_accepts_and_stays_silent_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = refused(&format!("amqp://guest:sw0rdfish@127.0.0.1:{port}/%2f")).await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("did not answer"), "{error}");
}

/// Somebody who answers a greeting with these bytes, hears the answer to them if it is to, and hangs up.
async fn answered_by(bytes: Vec<u8>, hears: bool) -> BrokerError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = format!("amqp://guest:sw0rdfish@127.0.0.1:{port}/%2f");
    let attempt = Broker::builder(&address).max_attempts(1).connect();
    let (attempted, ()) = tokio::join!(attempt, async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_exact(&mut [0; 8]).await.unwrap();
        socket.write_all(&bytes).await.unwrap();
        if hears {
            socket.read_exact(&mut [0; 1]).await.unwrap();
        }
    });
    let error = attempted.unwrap_err();
    assert!(!in_full(&error).contains("sw0rdfish"), "{error:?}");
    error
}

/// What a broker says first: how it lets users log in.
fn start(mechanisms: &str) -> Vec<u8> {
    let long = |text: &str| {
        [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
    };
    let method = [&[0, 10, 0, 10, 0, 9][..], &long(""), &long(mechanisms), &long("en_US")].concat();
    let size = u32::try_from(method.len()).unwrap().to_be_bytes();
    [&[1, 0, 0][..], &size, &method, &[0xce]].concat()
}

#[tokio::test]
async fn what_does_not_speak_amqp_is_said_not_to() {
    let tls_alert = vec![21, 3, 3, 0, 2, 2, 80];
    for bytes in
        [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), b"AMQP\x00\x01\x00\x00".to_vec(), tls_alert]
    {
        let error = answered_by(bytes, false).await;
        assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
        assert!(error.to_string().contains("does not speak AMQP 0-9-1"), "{error}");
    }
}

#[tokio::test]
async fn a_login_that_the_broker_does_not_offer_is_named() {
    let error = answered_by(start("AMQPLAIN RABBIT-CR-DEMO"), false).await;
    assert_eq!(error.kind(), BrokerErrorKind::CredentialsRefused);
    let said = error.to_string();
    assert!(said.contains("by PLAIN") && said.contains("AMQPLAIN RABBIT-CR-DEMO"), "{said}");
}

#[tokio::test]
async fn a_broker_that_hangs_up_on_a_login_is_said_to() {
    let error = answered_by(start("EXTERNAL PLAIN"), true).await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("hung up when it was shown the login"), "{error}");
}

#[tokio::test]
async fn what_is_no_address_is_said_to_be_none() {
    for address in ["", "localhost", "http://localhost", "guest:sw0rdfish@localhost"] {
        let error = refused(address).await;
        assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress, "{address}");
        assert!(error.to_string().contains("amqp://user:password@host:5672/vhost"), "{error}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("amqp://127.0.0.1:{}/%2f", listener.local_addr().unwrap().port());
    drop(listener);
    let live = Rabbit::shared().await.url();
    let broker = Broker::builder(&dead).address(live).connect().await.unwrap();
    assert!(!format!("{broker:?}").contains("guest"), "{broker:?}");
}
