//! A broker that is short of memory or disk, and one that accepts only small messages.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerStatus, CallError, FaultKind, HealthStatus, Unavailable};
use rpc_tests::{Direction, Node, Rabbit, eventually_async};
use tokio::time::timeout;

use super::{is_connected, relay_to};
use crate::brokers::{Pair, SOON, SampleClient, assert_ended, rabbitmq, refusal};

const A_MINUTE: Duration = Duration::from_secs(60);

/// Row 17.
#[tokio::test]
async fn a_memory_alarm_delays_or_refuses_calls() {
    let node = Node::start().await;
    let set = ["set_vm_memory_high_watermark", "0"];
    let clear = ["set_vm_memory_high_watermark", "absolute", "1GB"];
    an_alarm(&node, &set, &clear, "memory").await;
}

/// Row 17.
#[tokio::test]
async fn a_disk_alarm_delays_or_refuses_calls() {
    let node = Node::start().await;
    an_alarm(&node, &["set_disk_free_limit", "9000GB"], &["set_disk_free_limit", "50MB"], "disk")
        .await;
}

async fn an_alarm(node: &Node, set: &[&str], clear: &[&str], word: &str) {
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let connect = async |unavailable| {
        let builder = Broker::builder(&node.url()).when_unavailable(unavailable);
        let broker = builder.connect().await.unwrap();
        let client = SampleClient::builder(&broker).queue(&pair.queue).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        (broker, client)
    };
    let (waits, waiting) = connect(Unavailable::Wait).await;
    let (fails, failing) = connect(Unavailable::Fail).await;

    node.ctl(set).await;
    for (broker, client) in [(&waits, &waiting), (&fails, &failing)] {
        // The broker announces the alarm after the next publish, which may still succeed.
        eventually_async("the broker is blocked", SOON, async || {
            let _ = client.add(1, 2).timeout(Duration::from_millis(200)).await;
            matches!(broker.status(), BrokerStatus::Blocked(_)).then_some(())
        })
        .await;
        let BrokerStatus::Blocked(reason) = broker.status() else { panic!("{broker:?}") };
        assert!(reason.contains(word), "{reason}");
    }

    // Nothing is sent, so no memory grows.
    let many: Vec<_> = (0..500)
        .map(|_| waiting.echo(vec![0; 100_000]).timeout(Duration::from_millis(100)))
        .map(tokio::spawn)
        .collect();
    for call in many {
        let ended = call.await.unwrap();
        assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    }
    assert_eq!(waits.in_flight(), 0);
    let patient = tokio::spawn(waiting.add(3, 4).timeout(A_MINUTE));
    let fault = refusal(timeout(SOON, failing.add(1, 2)).await.expect("it does not wait"));
    assert_eq!(fault.kind(), FaultKind::Overloaded);
    assert!(fault.is_retryable() && fault.message().contains(word), "{fault}");

    node.ctl(clear).await;
    assert_eq!(timeout(A_MINUTE, patient).await.unwrap().unwrap().unwrap(), 7);
    is_connected(&waits).await;
    is_connected(&fails).await;
    assert_eq!(failing.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

/// Row 17, at a server: its replies are delayed.
#[tokio::test]
async fn a_server_under_an_alarm_is_not_ready() {
    let node = Node::start().await;
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let mut health = pair.server.health();
    let callers = Broker::connect(&node.url()).await.unwrap();
    let client = SampleClient::builder(&callers).queue(&pair.queue).timeout(A_MINUTE).build();
    let calls: Vec<_> = (0..2).map(|n| tokio::spawn(client.wait(n))).collect();
    pair.inside.has_started(2).await;

    node.ctl(&["set_vm_memory_high_watermark", "0"]).await;
    pair.inside.gate.add_permits(2);
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Blocked);
    assert!(!health.is_ready());

    node.ctl(&["set_vm_memory_high_watermark", "absolute", "1GB"]).await;
    assert_eq!(timeout(A_MINUTE, health.changed()).await.unwrap(), HealthStatus::Ready);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    pair.server.shutdown().await.unwrap();
    assert_eq!(health.status(), HealthStatus::Stopped);
}

/// Row 17 without an announcement: the network accepts no more bytes.
#[tokio::test]
async fn a_stalled_connection_does_not_fill_memory() {
    let pair = Pair::new(rabbitmq().await).await;
    let (relay, url) = relay_to(Rabbit::shared().await.url()).await;
    let broker = Broker::connect(&url).await.unwrap();
    let client = SampleClient::builder(&broker).queue(&pair.queue).build();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    relay.stall(Direction::ToBroker);
    let megabyte = || client.note("x".repeat(1_000_000)).timeout(Duration::from_millis(20));
    let mut handed_over = 0;
    while matches!(broker.status(), BrokerStatus::Connected) {
        if megabyte().await.unwrap_err().may_have_run() {
            handed_over += 1;
        }
    }
    assert!((60..=70).contains(&handed_over), "{handed_over} megabytes");
    assert!(matches!(broker.status(), BrokerStatus::Blocked(_)), "{:?}", broker.status());
    assert_ended!(megabyte().await, Err(CallError::DeadlineExceeded { may_have_run: false }));

    relay.resume();
    is_connected(&broker).await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

/// Rows 14 and 27: the broker's limit is lower than ours, and it closes the channel. Other calls are not affected.
#[tokio::test]
async fn a_request_too_large_for_rabbitmq_fails_alone() {
    let node = Node::builder().config("max_message_size = 65536").start().await;
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let patient = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    for _ in 0..3 {
        let ended = timeout(SOON, pair.client.echo(vec![0; 100_000])).await.expect("it ends");
        assert_ended!(ended, Err(CallError::Broker(error)) if error.to_string().contains("65536"));
        assert_eq!(pair.client.echo(vec![0; 1_000]).await.unwrap().len(), 1_000);
    }
    pair.inside.gate.add_permits(1);
    assert_eq!(patient.await.unwrap().unwrap(), 1);
    pair.server.shutdown().await.unwrap();
}
