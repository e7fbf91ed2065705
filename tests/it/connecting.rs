//! Errors of failed connections. No message shows a password.

use std::{error::Error, time::Duration};

use rpc_runtime::{Broker, BrokerError, BrokerErrorKind, CallError, Server};
use rpc_tests::{Rabbit, unique};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, timeout},
};

use crate::{
    brokers::{Inside, SampleClient, SampleServer, assert_ended, queue},
    logs::{Log, listen},
};

/// The error with its causes, as a program prints it.
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
async fn a_wrong_password_is_not_tried_again() {
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

/// OAuth tokens are that long.
#[tokio::test]
async fn a_password_may_be_a_token_of_kilobytes() {
    for password in ["t".repeat(900), "%2B".repeat(100), "t".repeat(3_500)] {
        let login = format!("guest:sw0rdfish{password}");
        let error = refused(&with_login(&login, "/%2f").await).await;
        assert_eq!(error.kind(), BrokerErrorKind::CredentialsRefused, "it was shown: {error}");
    }
}

/// RabbitMQ closes the connection after some seconds without a reason.
#[tokio::test]
async fn a_password_that_is_too_long_is_named() {
    let address = with_login(&format!("guest:sw0rdfish{}", "t".repeat(9_000)), "/%2f").await;
    let error = Broker::builder(&address).max_attempts(1).connect().await.unwrap_err();
    assert!(error.to_string().contains("its password is long"), "{error}");
    assert!(!in_full(&error).contains("sw0rdfish"));
}

#[tokio::test]
async fn characters_that_have_to_be_encoded_are_named() {
    for password in ["12/3sw0rdfish", "sw0rd#fish", "sw0rd?fish"] {
        let error = refused(&format!("amqp://guest:{password}@127.0.0.1:1/%2f")).await;
        assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress);
        let text = in_full(&error);
        assert!(!text.contains("fish") && !text.contains("sw0rd"), "{text}");
        assert!(text.contains("# as %23, / as %2F, ? as %3F"), "{text}");
    }
}

/// A port without a listener.
async fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_hopeless_first_connection_ends_soon() {
    let hopeless = format!("amqp://127.0.0.1:{}", dead_port().await);
    let start = Instant::now();
    let error = Broker::connect(&hopeless).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("wait_for_broker"), "{error}");
    assert!(in_full(&error).contains("refused"), "{error:?}");
}

/// On most machines `localhost` has two addresses.
#[tokio::test]
async fn each_failed_attempt_logs_its_cause() {
    let log = Log::default();
    let format = tracing_subscriber::fmt().with_ansi(false).without_time().with_target(false);
    let _logging = listen(format.with_writer(log.clone()).finish());
    let port = dead_port().await;
    let builder = Broker::builder(&format!("amqp://guest:sw0rdfish@localhost:{port}"));
    builder.max_attempts(3).connect().await.unwrap_err();
    let why = format!(
        "error=no broker answers at amqp://localhost:{port}/%2f: Connection refused (os error 111)"
    );
    assert_eq!(
        log.text().lines().map(str::trim).collect::<Vec<_>>(),
        [
            format!("WARN no connection yet; trying again {why}"),
            format!("WARN no connection yet; trying again {why}"),
            format!("WARN no connection; giving up {why}"),
        ]
    );
}

#[tokio::test]
async fn a_broker_may_start_late() {
    let port = dead_port().await;
    let waiting = Broker::builder(&format!("amqp://127.0.0.1:{port}"))
        .connect_timeout(Duration::from_millis(100))
        .wait_for_broker(Duration::from_secs(4))
        .connect();
    let start = Instant::now();
    let error = waiting.await.unwrap_err();
    assert!(start.elapsed() > Duration::from_millis(3_500), "{:?}", start.elapsed());
    assert!(!error.to_string().contains("wait_for_broker"), "{error}");
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let error = refused("amqp://guest:sw0rdfish@nowhere.invalid").await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("nowhere.invalid"), "{error}");
}

#[tokio::test]
async fn a_closed_port_is_tried_until_the_deadline() {
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
async fn a_silent_broker_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = refused(&format!("amqp://guest:sw0rdfish@127.0.0.1:{port}/%2f")).await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("did not answer"), "{error}");
}

/// The error of connecting to a peer that answers with these bytes, reads the next answer if `reads`, and closes.
async fn answered_by(bytes: Vec<u8>, reads: bool) -> BrokerError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = format!("amqp://guest:sw0rdfish@127.0.0.1:{port}/%2f");
    let attempt = Broker::builder(&address).max_attempts(1).connect();
    let (attempted, ()) = tokio::join!(attempt, async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_exact(&mut [0; 8]).await.unwrap();
        socket.write_all(&bytes).await.unwrap();
        if reads {
            socket.read_exact(&mut [0; 1]).await.unwrap();
        }
    });
    let error = attempted.unwrap_err();
    assert!(!in_full(&error).contains("sw0rdfish"), "{error:?}");
    error
}

/// The first frame of a broker, with these login mechanisms.
fn start(mechanisms: &str) -> Vec<u8> {
    let long = |text: &str| {
        [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
    };
    let method = [&[0, 10, 0, 10, 0, 9][..], &long(""), &long(mechanisms), &long("en_US")].concat();
    let size = u32::try_from(method.len()).unwrap().to_be_bytes();
    [&[1, 0, 0][..], &size, &method, &[0xce]].concat()
}

#[tokio::test]
async fn another_protocol_is_recognized() {
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
async fn a_missing_login_mechanism_is_named() {
    let error = answered_by(start("AMQPLAIN RABBIT-CR-DEMO"), false).await;
    assert_eq!(error.kind(), BrokerErrorKind::CredentialsRefused);
    let text = error.to_string();
    assert!(text.contains("by PLAIN") && text.contains("AMQPLAIN RABBIT-CR-DEMO"), "{text}");
}

#[tokio::test]
async fn closing_after_the_login_is_explained() {
    let error = answered_by(start("EXTERNAL PLAIN"), true).await;
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    assert!(error.to_string().contains("hung up when it was shown the login"), "{error}");
}

#[tokio::test]
async fn an_invalid_address_is_refused() {
    for address in ["", "localhost", "http://localhost", "guest:sw0rdfish@localhost"] {
        let error = refused(address).await;
        assert_eq!(error.kind(), BrokerErrorKind::InvalidAddress, "{address}");
        assert!(error.to_string().contains("amqp://user:password@host:5672/vhost"), "{error}");
    }
}

/// A listener that accepts connections and stays silent, and one with a full backlog.
async fn silent_and_full() -> (TcpListener, TcpListener, Vec<TcpStream>) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(0).unwrap();
    let mut waiting = Vec::new();
    // Nobody accepts these. Once the backlog is full, the system drops packets.
    while let Ok(Ok(stream)) =
        timeout(Duration::from_millis(300), TcpStream::connect(full.local_addr().unwrap())).await
    {
        waiting.push(stream);
    }
    (silent, full, waiting)
}

/// Row 34.
#[tokio::test]
async fn a_node_that_drops_packets_delays_little() {
    let (silent, full, _waiting) = silent_and_full().await;
    let url = |listener: &TcpListener| format!("amqp://{}/%2f", listener.local_addr().unwrap());
    let live = Rabbit::shared().await.url();
    let start = Instant::now();
    // In either order.
    let connecting = (0..4).map(|_| {
        let builder = Broker::builder(&url(&silent)).address(&url(&full)).address(live);
        tokio::spawn(builder.connect())
    });
    for connecting in connecting.collect::<Vec<_>>() {
        connecting.await.unwrap().unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

/// Row 34.
#[tokio::test]
async fn an_error_has_the_cause_for_each_address() {
    let (silent, full, _waiting) = silent_and_full().await;
    let (silent, full) = (silent.local_addr().unwrap(), full.local_addr().unwrap());
    let dead = format!("127.0.0.1:{}", dead_port().await);
    let builder = Broker::builder(&format!("amqp://guest:sw0rdfish@{silent}"))
        .address(&format!("amqp://guest:sw0rdfish@{full}"))
        .address(&format!("amqp://guest:sw0rdfish@{dead}"));
    let error = builder.connect_timeout(Duration::from_secs(1)).connect().await.unwrap_err();
    let text = in_full(&error);
    assert!(!text.contains("sw0rdfish"), "{text}");
    assert!(
        text.contains(&format!("{silent}/%2f accepted the connection and did not answer")),
        "{text}"
    );
    assert!(text.contains(&format!("{full}/%2f did not answer")), "{text}");
    assert!(text.contains(&format!("no broker answers at amqp://{dead}")), "{text}");
}

#[tokio::test]
async fn too_few_channels_are_named_at_once() {
    let url = Rabbit::shared().await.url();
    let error = refused(&format!("{url}?channel_max=2")).await;
    assert_eq!(error.kind(), BrokerErrorKind::Misuse);
    assert!(
        error.to_string().contains("2 channels") && error.to_string().contains("`channel_max`"),
        "{error}"
    );

    // Enough for one service with discovery, but not for two.
    let broker = Broker::connect(&format!("{url}?channel_max=4")).await.unwrap();
    let (one, other) = (unique("channels"), unique("channels"));
    let sample = |name: &str| (queue(name), SampleServer::new(Inside::new()));
    let ((first, service), (second, another)) = (sample(&one), sample(&other));
    let both = Server::builder(&broker).service_on(first, service).service_on(second, another);
    let error = both.start().await.unwrap_err();
    assert!(error.to_string().contains("`channel_max`"), "{error}");

    let (first, service) = sample(&one);
    let server = Server::builder(&broker).service_on(first, service).start().await.unwrap();
    let (second, another) = sample(&other);
    let beside = Server::builder(&broker).service_on(second, another).discovery(false);
    let beside = beside.start().await.unwrap();
    // Calls need two more.
    let client = SampleClient::builder(&broker).queue(&one).build();
    let start = Instant::now();
    let ended = client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.to_string().contains("`channel_max`"));
    assert!(start.elapsed() < Duration::from_secs(5), "it does not wait for its deadline");
    beside.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_next_address_is_tried_after_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("amqp://127.0.0.1:{}/%2f", listener.local_addr().unwrap().port());
    drop(listener);
    let live = Rabbit::shared().await.url();
    let broker = Broker::builder(&dead).address(live).connect().await.unwrap();
    assert!(!format!("{broker:?}").contains("guest"), "{broker:?}");
}
