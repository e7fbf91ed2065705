//! Faults injected into single messages, in memory. Time is paused.

use std::time::Duration;

use rpc_runtime::{Broker, CallError, FaultKind, discovery::Discovery, testing::Faults};
use rpc_tests::eventually;
use tokio::time::{Instant, sleep};

use crate::brokers::{Pair, SOON, assert_ended, refusal};

const SECOND: Duration = Duration::from_secs(1);

async fn faulty() -> (Faults, Pair) {
    let faults = Faults::new();
    let pair = Pair::new(Broker::in_memory_with(&faults)).await;
    (faults, pair)
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reply_times_out_after_running() {
    let (faults, pair) = faulty().await;
    faults.drop_replies(2);
    for runs in 1..=2 {
        let started = Instant::now();
        let ended = pair.client.add(1, 2).timeout(5 * SECOND).await;
        assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
        assert_eq!(started.elapsed().as_secs(), 5);
        assert_eq!(pair.inside.started(), runs);
    }
    assert_eq!(faults.remaining(), 0);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.broker.unclaimed_replies(), 0, "they never came");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_times_out_without_running() {
    let (faults, pair) = faulty().await;
    faults.drop_requests(2);
    let ended = pair.client.add(1, 2).timeout(SECOND).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    pair.client.note("gone".to_owned()).await.unwrap();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.inside.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_returned_request_has_no_server() {
    let (faults, pair) = faulty().await;
    faults.return_requests(1);
    assert_ended!(pair.client.add(1, 2).await, Err(CallError::NoServer));
    assert_eq!(pair.inside.started(), 0);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_is_retried_if_idempotent() {
    let (faults, pair) = faulty().await;
    faults.reject_requests(1);
    assert_eq!(refusal(pair.client.add(1, 2).await).kind(), FaultKind::Overloaded);
    assert_eq!(pair.inside.started(), 0);

    faults.reject_requests(2);
    pair.inside.gate.add_permits(1);
    let started = Instant::now();
    assert_eq!(pair.client.again(7).await.unwrap(), 7);
    assert_eq!((faults.remaining(), pair.inside.started()), (0, 1));
    assert!(started.elapsed() >= Duration::from_millis(100), "it has paused twice");
}

#[tokio::test(start_paused = true)]
async fn a_second_reply_is_dropped_and_counted() {
    let (faults, pair) = faulty().await;
    faults.duplicate_replies(1);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!((pair.inside.started(), pair.broker.unclaimed_replies()), (1, 1));
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.broker.unclaimed_replies(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_redelivered_request_runs_again() {
    let (faults, pair) = faulty().await;
    assert!(!pair.client.seen().await.unwrap().redelivered);
    faults.redeliver_requests(1);
    assert!(pair.client.seen().await.unwrap().redelivered);

    faults.redeliver_requests(2);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.inside.started(), 3);
    assert_eq!(pair.broker.unclaimed_replies(), 0, "there was one answer");
}

#[tokio::test(start_paused = true)]
async fn at_most_once_requests_are_not_run_again() {
    let (faults, pair) = faulty().await;
    faults.method("once").redeliver_requests(1);
    pair.inside.gate.add_permits(2);
    assert_eq!(refusal(pair.client.once(1).await).kind(), FaultKind::OutcomeUnknown);
    assert_eq!(pair.inside.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn delays_add_up_and_can_be_ended() {
    let (faults, pair) = faulty().await;
    faults.delay_requests(2 * SECOND);
    faults.delay_replies(3 * SECOND);
    let started = Instant::now();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(started.elapsed().as_secs(), 5);

    faults.delay_requests(Duration::ZERO);
    faults.delay_replies(Duration::ZERO);
    let started = Instant::now();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_reply_delayed_too_long_is_late() {
    let (faults, pair) = faulty().await;
    faults.delay_replies(3 * SECOND);
    let ended = pair.client.add(1, 2).timeout(SECOND).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    assert_eq!(pair.broker.unclaimed_replies(), 0);
    sleep(3 * SECOND).await;
    assert_eq!(pair.broker.unclaimed_replies(), 1);
}

#[tokio::test(start_paused = true)]
async fn held_replies_outlive_the_servers_shutdown() {
    let (faults, pair) = faulty().await;
    faults.delay_requests(SECOND);
    faults.delay_replies(SECOND);
    let calls = (0..50).map(|n| tokio::spawn(pair.client.add(n, 1))).collect::<Vec<_>>();
    pair.inside.has_started(50).await;
    pair.server.shutdown().await.unwrap();
    for (n, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), n + 1);
    }
    assert_eq!(pair.inside.started(), 50, "what was answered is not delivered again");
}

#[tokio::test(start_paused = true)]
async fn held_messages_are_bounded() {
    let (faults, pair) = faulty().await;
    faults.delay_requests(60 * SECOND);
    let calls = (0..10_000).map(|n| tokio::spawn(pair.client.add(n, 1).timeout(SECOND)));
    let calls: Vec<_> = calls.collect();
    eventually("all are in flight", SOON, || (pair.broker.in_flight() == 10_000).then_some(()))
        .await;
    assert_eq!(refusal(pair.client.add(1, 2).await).kind(), FaultKind::Overloaded);
    for call in calls {
        assert_ended!(call.await.unwrap(), Err(CallError::DeadlineExceeded { .. }));
    }
    sleep(60 * SECOND).await;
    faults.clear();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_limited_to_a_method() {
    let (faults, pair) = faulty().await;
    faults.queue("elsewhere").drop_replies(1);
    faults.queue(&pair.queue).method("add").drop_replies(1);
    assert_eq!(pair.client.echo(vec![1]).await.unwrap(), [1]);
    assert_ended!(pair.client.add(1, 2).await, Err(CallError::DeadlineExceeded { .. }));
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(faults.remaining(), 1, "no call elsewhere");

    faults.clear();
    assert_eq!(faults.remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn discovery_is_not_affected() {
    let (faults, pair) = faulty().await;
    faults.drop_replies(10);
    faults.drop_requests(10);
    faults.delay_replies(60 * SECOND);
    let found = Discovery::new(&pair.broker).ping().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(faults.remaining(), 20);
}

#[tokio::test(start_paused = true)]
async fn serving_with_accepts_faults() {
    use crate::brokers::{Inside, SampleClient, SampleServer};

    let (faults, inside) = (Faults::new(), Inside::new());
    let broker = Broker::serving_with(SampleServer::new(inside.clone()), &faults);
    let client = SampleClient::new(&broker);
    faults.queue("Sample").drop_requests(1);
    client.note("gone".to_owned()).await.unwrap();
    client.note("arrives".to_owned()).await.unwrap();
    eventually("one has arrived", SOON, || (inside.started() > 0).then_some(())).await;
    assert_eq!((inside.started(), faults.remaining()), (1, 0));
}
