//! All timeouts follow tokio's clock, so that tests can pause it. These tests take no real time.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rpc_runtime::{
    Broker, BrokerStatus, CallError, Server,
    middleware::{Cache, CircuitBreaker},
    rpc_service,
    testing::Faults,
};
use rpc_tests::eventually;
use tokio::time::{Instant, advance, sleep};

use crate::brokers::{Inside, Pair, SOON, SampleServer, assert_ended, queue};

const SECOND: Duration = Duration::from_secs(1);
const AN_HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test(start_paused = true)]
async fn an_expired_request_is_not_delivered() {
    let pair = Pair::new(Broker::in_memory()).await;
    pair.server.shutdown().await.unwrap();
    let short = tokio::spawn(pair.client.add(1, 2).timeout(30 * SECOND));
    let long = tokio::spawn(pair.client.add(3, 4).timeout(AN_HOUR));
    let waiting = async || pair.broker.queue_state(&pair.queue).await.unwrap().unwrap().messages;
    sleep(29 * SECOND).await;
    assert_eq!(waiting().await, 2);
    let ended = short.await.unwrap();
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    assert_eq!(waiting().await, 1);

    let inside = Inside::new();
    let server = Server::builder(&pair.broker)
        .service_on(queue(&pair.queue), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    assert_eq!(long.await.unwrap().unwrap(), 7);
    assert_eq!(inside.started(), 1);
    server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_its_remaining_time_exactly() {
    let pair = Pair::new(Broker::in_memory()).await;
    let seen = pair.client.seen().timeout(7 * SECOND).await.unwrap();
    assert_eq!(seen.left, Some(7 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_its_grace_period() {
    let pair = Pair::with(Broker::in_memory(), |server| server.grace_period(AN_HOUR)).await;
    let call = tokio::spawn(pair.client.wait(1).timeout(24 * AN_HOUR));
    pair.inside.has_started(1).await;
    let started = Instant::now();
    assert_eq!(pair.server.shutdown().await.unwrap_err().unfinished(), 1);
    assert_eq!(started.elapsed().as_secs(), (AN_HOUR + SECOND).as_secs());
    let ended = call.await.unwrap();
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
}

#[tokio::test(start_paused = true)]
async fn a_circuit_stays_open_for_its_pause() {
    let broker = Broker::in_memory();
    let pair = Pair::new(broker.clone()).await;
    let breaker = CircuitBreaker::new().failures(1).pause(AN_HOUR);
    let client =
        crate::brokers::SampleClient::builder(&broker).queue(&pair.queue).layer(breaker).build();
    assert_ended!(client.wait(1).await, Err(CallError::DeadlineExceeded { .. }));
    assert_ended!(client.add(1, 2).await, Err(CallError::Layer(_)));
    advance(3_599 * SECOND).await;
    assert_ended!(client.add(1, 2).await, Err(CallError::Layer(_)));
    advance(SECOND).await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
}

#[rpc_service]
trait Clockwork {
    #[rpc(cacheable = "10m")]
    async fn rate(&self) -> u32;

    /// Takes so long on the real clock.
    #[rpc(blocking)]
    fn grind(&self, time: Duration);
}

#[derive(Default)]
struct Wheels(AtomicU32);

impl Clockwork for Wheels {
    async fn rate(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn grind(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cached_result_expires_on_time() {
    let broker = Broker::serving(ClockworkServer::new(Wheels::default()));
    let client = ClockworkClient::new(&broker.layer(Cache::new(1_000_000)));
    for kept in 0..3 {
        assert_eq!(client.rate().await.unwrap(), kept);
        advance(599 * SECOND).await;
        assert_eq!(client.rate().await.unwrap(), kept);
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn paused_time_stops_during_blocking_methods() {
    let client = ClockworkClient::new(&Broker::serving(ClockworkServer::new(Wheels::default())));
    let started = Instant::now();
    client.grind(Duration::from_millis(50)).timeout(Duration::from_millis(10)).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_go_on_with_pauses() {
    let faults = Faults::new();
    let broker = Broker::in_memory_with(&faults);
    faults.refuse_connections();
    faults.lose_connection();
    let is = |connected| {
        let broker = broker.clone();
        move || {
            let status = broker.status();
            (matches!(status, BrokerStatus::Connected) == connected).then_some(())
        }
    };
    eventually("the connection is down", SOON, is(false)).await;
    sleep(AN_HOUR).await;
    faults.accept_connections();
    let started = Instant::now();
    eventually("the connection is up", SOON, is(true)).await;
    assert!(started.elapsed() <= 6 * SECOND, "the longest pause, and the time to look");
}
