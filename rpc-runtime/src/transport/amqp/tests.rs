//! Tests of the transport against a broker that the test plays.

use std::sync::Arc;

use rpc_amqp::{ConnectOptions, Connection, Connector};
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::{
    client::InFlight,
    error::BrokerErrorKind,
    tasks,
    transport::{Connection as _, Queue},
};

/// A frame with a method on channel 0.
fn method(payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[1, 0, 0][..], &size, payload, &[0xce]].concat()
}

/// What the broker sends in the handshake: 100 channels, frames of 4 KiB and no heartbeat. It does not depend on the client.
pub(super) fn handshake() -> Vec<u8> {
    let start = b"\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US";
    let tune = b"\0\x0a\0\x1e\0\x64\0\0\x10\0\0\0";
    let open = b"\0\x0a\0\x29\0";
    [method(start), method(tune), method(open)].concat()
}

/// A connection over this socket, and its dialer.
pub(super) async fn connect(socket: DuplexStream) -> (Connection, Arc<Dialer>) {
    let transport = AmqpTransport::new(&AmqpOptions {
        addresses: &["amqp://ada:s3cret@a?heartbeat=0".to_owned()],
        name: "test",
        heartbeat: Duration::from_secs(8),
        tls: &Tls::default(),
        external: false,
    });
    let dialer = transport.unwrap().0;
    (dialer.connector.connect_over(socket).await.unwrap(), dialer)
}

/// A connection to a broker that reads everything and sends nothing.
async fn silent() -> (AmqpConnection<Dialer>, DuplexStream) {
    let (mut broker, socket) = duplex(1024 * 1024);
    broker.write_all(&handshake()).await.unwrap();
    let (connection, dialer) = connect(socket).await;
    (AmqpConnection::new(connection, dialer), broker)
}

#[tokio::test(start_paused = true)]
async fn opening_ends_if_the_broker_never_responds() {
    let (connection, _broker) = silent().await;
    let worker = WorkerOptions {
        queue: Queue::named("q"),
        prefetch: 1,
        exchange: String::new(),
        max_request: 1,
        undeliverable: Arc::default(),
        refused: Arc::default(),
    };
    let listener = ListenerOptions {
        exchange: "e".to_owned(),
        keys: Vec::new(),
        prefetch: 1,
        max_length: 1,
        undeliverable: Arc::default(),
    };
    let caller = CallerOptions::default();
    let checked = CallerOptions { exchange: "e".to_owned(), ..CallerOptions::default() };
    for error in [
        connection.open_worker(worker).await.err(),
        connection.open_listener(listener).await.err(),
        connection.open_caller(caller, InFlight::new(1)).await.err(),
        connection.open_caller(checked, InFlight::new(1)).await.err(),
        connection.queue_state("q").await.err(),
    ] {
        let error = error.unwrap();
        assert!(!error.is_permanent());
        assert!(error.whole().to_string().contains("did not answer within 30s"), "{error:?}");
    }
    // Closing the connection ends, too.
    let start = Instant::now();
    connection.close().await;
    assert!(start.elapsed() <= CLOSE_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_is_named_as_the_reason() {
    let (connection, mut broker) = silent().await;
    broker.write_all(&method(b"\0\x0a\0\x3c\x0dlow on memory")).await.unwrap();
    connection.blocked().wait_for(|blocked| blocked.alarm.is_some()).await.unwrap();
    let error = connection.queue_state("q").await.unwrap_err();
    assert!(error.whole().to_string().contains("low on memory"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn running_out_of_channels_is_explained() {
    let (connection, _broker) = silent().await;
    let mut opening: Vec<_> =
        (0..100).map(|_| Box::pin(connection.connection.open_channel())).collect();
    for opening in &mut opening {
        assert!(tasks::now(opening).is_none(), "it waits for the broker's response");
    }
    let error = connection.queue_state("q").await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("`channel_max`"), "{error}");
    drop(opening);
}

#[test]
fn connect_errors_keep_the_texts_of_rpc_amqp() {
    let failed = |address: &str| {
        let error = Connector::new(&[address], ConnectOptions::default()).unwrap_err();
        error::connecting(&error)
    };
    let error = failed("http://rabbit");
    assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress);
    assert!(error.to_string().starts_with("\"http://rabbit\" is not the address"), "{error}");
    if cfg!(not(feature = "tls")) {
        let error = failed("amqps://rabbit");
        assert_eq!(error.kind(), BrokerErrorKind::TlsUnavailable);
        assert!(error.to_string().ends_with("enable the feature `tls` of rpc-runtime"), "{error}");
    }
}
