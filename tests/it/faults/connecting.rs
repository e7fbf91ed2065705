//! A broker that cannot be reached, or refuses the connection.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerError, BrokerErrorKind, BrokerStatus, CallError};
use rpc_tests::{Node, Rabbit, eventually, unique};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use super::{is_connected, nothing_happens_for, relay_to, relayed, status};
use crate::brokers::{SOON, SampleClient, assert_ended};

/// Row 1.
#[tokio::test]
async fn a_broker_may_start_after_its_client() {
    let (relay, builder) = relayed().await;
    relay.refuse();
    let connecting = tokio::spawn(builder.connect());
    nothing_happens_for(Duration::from_millis(300), || connecting.is_finished()).await;
    relay.resume();
    let broker = timeout(SOON, connecting).await.unwrap().unwrap().unwrap();
    assert!(matches!(broker.status(), BrokerStatus::Connected));
}

/// Row 1.
#[tokio::test]
async fn attempts_end_only_at_a_given_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://{}/%2f", listener.local_addr().unwrap());
    let connecting = tokio::spawn(Broker::builder(&url).max_attempts(3).connect());
    for _ in 0..3 {
        // Close the connection after the protocol header.
        let (mut client, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        let mut header = [0; 8];
        client.read_exact(&mut header).await.unwrap();
        assert_eq!(&header[..4], b"AMQP");
    }
    let error = timeout(SOON, connecting).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Unreachable);
    let fourth = timeout(Duration::from_millis(500), listener.accept()).await;
    assert!(fourth.is_err(), "three were allowed");
}

/// Row 1, later: after a loss the attempts end at the bound, and calls fail.
#[tokio::test]
async fn each_loss_gets_the_full_attempts() {
    let (relay, builder) = relayed().await;
    let broker = builder.max_attempts(2).connect().await.unwrap();
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    relay.cut();
    eventually("it connects again", SOON, || (relay.accepted() == 2).then_some(())).await;
    is_connected(&broker).await;
    relay.refuse();
    relay.cut();
    status(&broker, "refused", |status| matches!(status, BrokerStatus::Refused(_))).await;
    let started = Instant::now();
    let ended = client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.kind() == BrokerErrorKind::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// Row 34.
#[tokio::test]
async fn a_connection_limit_is_not_permanent() {
    let node = Node::start().await;
    let is_limit = |error: BrokerError| {
        assert_eq!(error.kind(), BrokerErrorKind::LimitReached, "{error}");
        assert!(!error.is_permanent() && error.to_string().contains("limit"), "{error}");
    };
    let briefly = || Broker::builder(&node.url()).connect_timeout(Duration::from_millis(500));
    for limit in [&["set_vhost_limits", "-p", "/"][..], &["set_user_limits", "guest"][..]] {
        node.ctl(&[limit, &[r#"{"max-connections": 1}"#]].concat()).await;
        let holder = Broker::connect(&node.url()).await.unwrap();
        is_limit(briefly().connect().await.unwrap_err());

        // Another node accepts it.
        let elsewhere = briefly().address(Rabbit::shared().await.url()).connect().await.unwrap();
        assert!(matches!(elsewhere.status(), BrokerStatus::Connected));

        let waiting = tokio::spawn(Broker::builder(&node.url()).connect());
        nothing_happens_for(Duration::from_millis(300), || waiting.is_finished()).await;
        holder.close().await;
        let connected = timeout(SOON, waiting).await.unwrap().unwrap().unwrap();
        connected.close().await;
        node.ctl(&[limit, &[r#"{"max-connections": -1}"#]].concat()).await;
    }
}

/// Row 19: the password was right once. Attempts continue slowly, and calls fail at once.
#[tokio::test]
async fn a_changed_password_is_retried_slowly() {
    let node = Node::start().await;
    node.add_user("ada", "first", [".*", ".*", ".*"]).await;
    let (relay, url) = relay_to(&node.url_for("ada", "first", "%2f")).await;
    let broker = Broker::connect(&url).await.unwrap();
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    assert_ended!(client.add(1, 2).await, Err(CallError::NoServer));

    node.ctl(&["change_password", "ada", "second"]).await;
    node.close_connections().await;
    status(&broker, "refused", |status| {
        matches!(status, BrokerStatus::Refused(error)
            if error.kind() == BrokerErrorKind::CredentialsRefused)
    })
    .await;
    let (attempts, started) = (relay.accepted(), Instant::now());
    let ended = client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.is_permanent());
    assert!(started.elapsed() < Duration::from_secs(5), "it does not wait for its deadline");
    assert!(!format!("{ended:?}").contains("first"), "{ended:?}");
    nothing_happens_for(Duration::from_secs(2), || relay.accepted() > attempts).await;
}
