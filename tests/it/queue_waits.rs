//! The time that a request waits in its queue counts against its deadline.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rpc_runtime::{Broker, CallError};
use rpc_tests::{Message, Peer, QueueSpec, Rabbit};
use serde_json::{Value, json};

use crate::brokers::{Pair, SOON, assert_ended, on_both_brokers, rabbitmq};

const WAIT: Duration = Duration::from_millis(1_400);

on_both_brokers! {
    queue_wait_reduces_the_remaining_time;
}

async fn queue_wait_reduces_the_remaining_time(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(1)).await;
    let timeout = Duration::from_secs(8);
    let first = pair.client.seen().timeout(timeout).await.unwrap().left.unwrap();
    assert!(first <= timeout);

    let running = tokio::spawn(pair.client.wait(1).timeout(SOON * 6));
    pair.inside.has_started(1).await;
    let queued = tokio::spawn(pair.client.seen().timeout(timeout));
    tokio::time::sleep(WAIT).await;
    pair.inside.gate.add_permits(1);
    let left = queued.await.unwrap().unwrap().left.unwrap();
    // The clock counts in milliseconds.
    assert!(left + WAIT <= timeout + Duration::from_millis(2), "{left:?} are left");
    assert_eq!(running.await.unwrap().unwrap(), 1);

    // The next request has not waited.
    let left = pair.client.seen().timeout(timeout).await.unwrap().left.unwrap();
    assert!(left + WAIT > timeout, "{left:?} are left");
    pair.server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_measures_the_wait_exactly() {
    let pair = Pair::with(Broker::in_memory(), |server| server.concurrency(1)).await;
    pair.client.add(1, 2).await.unwrap();
    let running = tokio::spawn(pair.client.wait(1));
    let queued = tokio::spawn(pair.client.seen().timeout(Duration::from_secs(2)));
    tokio::time::sleep(WAIT).await;
    pair.inside.gate.add_permits(1);
    let left = queued.await.unwrap().unwrap().left.unwrap();
    assert!((598..=601).contains(&left.as_millis()), "{left:?} are left");
    running.await.unwrap().unwrap();
    assert_ended!(
        pair.client.wait(2).timeout(WAIT).await,
        Err(CallError::DeadlineExceeded { may_have_run: true })
    );
}

/// The remaining seconds of a minute that `seen` finds, for requests with these timestamps.
async fn left_of_a_minute(sent: &[Value]) -> Vec<f64> {
    let pair = Pair::new(rabbitmq().await).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let mut left = Vec::new();
    for sent in sent {
        let request = Message {
            kind: Some("seen".to_owned()),
            content_type: Some("application/json".to_owned()),
            reply_to: Some(callback.clone()),
            expiration: Some("60000".to_owned()),
            headers: json!({ "rpc-sent-ms": sent }),
            ..Message::to(&pair.queue, "[]")
        };
        peer.publish(request).await.unwrap();
        let reply = peer.get(&callback, SOON).await.unwrap().expect("every request is answered");
        let seen: Value = serde_json::from_slice(&reply.body).unwrap();
        let part = |part: &str| seen["left"][part].as_f64().unwrap();
        left.push(part("secs") + part("nanos") / 1e9);
    }
    pair.server.shutdown().await.unwrap();
    left
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn clocks_of_callers_need_not_agree_with_ours() {
    // A clock that is a day behind, and one that is a day ahead.
    for now in [now() - 86_400_000, now() + 86_400_000] {
        let sent = [json!(now), json!(now - 20_000), json!((now - 20_000).to_string())];
        let left = left_of_a_minute(&sent).await;
        assert!(left[0] > 55.0, "nothing is known of the first: {left:?}");
        assert!((25.0..=40.1).contains(&left[1]), "{left:?}");
        assert!((25.0..=40.1).contains(&left[2]), "{left:?}");
    }
}

#[tokio::test]
async fn a_wrong_timestamp_affects_no_other_request() {
    let now = now();
    let sent = [
        json!(now),
        json!(i64::MAX),
        json!(now),
        json!(i64::MIN),
        json!(now),
        json!("yesterday"),
        json!([now]),
        Value::Null,
        json!(now),
    ];
    let left = left_of_a_minute(&sent).await;
    assert!(left.iter().all(|left| (45.0..=60.0).contains(left)), "{left:?}");
}
