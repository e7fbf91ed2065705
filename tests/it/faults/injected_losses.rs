//! A loss injected in memory and a cut connection to RabbitMQ behave the same.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerStatus, CallError, testing::Faults};
use rpc_tests::{Relay, eventually};
use tokio::time::{sleep, timeout};

use super::{is_connected, is_down, relayed};
use crate::brokers::{Pair, SOON, assert_ended};

const A_MINUTE: Duration = Duration::from_secs(60);

/// Controls the connection of a broker.
enum Between {
    Faults(Faults),
    Relay(Relay),
}

impl Between {
    fn lose(&self) {
        match self {
            Self::Faults(faults) => faults.lose_connection(),
            Self::Relay(relay) => relay.cut(),
        }
    }

    fn refuse(&self) {
        match self {
            Self::Faults(faults) => faults.refuse_connections(),
            Self::Relay(relay) => relay.refuse(),
        }
    }

    fn accept(&self) {
        match self {
            Self::Faults(faults) => faults.accept_connections(),
            Self::Relay(relay) => relay.resume(),
        }
    }
}

macro_rules! injected_and_real {
    ($($name:ident;)*) => {
        mod in_memory {
            $(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    let faults = super::Faults::new();
                    let broker = super::Broker::in_memory_with(&faults);
                    super::$name(super::Between::Faults(faults), broker).await;
                }
            )*
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    let (relay, builder) = super::relayed().await;
                    let broker = builder.connect().await.unwrap();
                    super::$name(super::Between::Relay(relay), broker).await;
                }
            )*
        }
    };
}

injected_and_real! {
    calls_in_flight_are_lost_or_resent;
    the_status_goes_down_and_up;
    calls_wait_until_connections_are_accepted_again;
    a_connection_can_be_lost_again_and_again;
}

async fn calls_in_flight_are_lost_or_resent(between: Between, broker: Broker) {
    let pair = Pair::new(broker).await;
    let unknown = tokio::spawn(pair.client.wait(1).timeout(A_MINUTE));
    let again = tokio::spawn(pair.client.again(2).timeout(A_MINUTE));
    let once = tokio::spawn(pair.client.once(3).timeout(A_MINUTE));
    pair.inside.has_started(3).await;
    between.lose();
    for lost in [unknown, once] {
        let ended = timeout(SOON, lost).await.expect("it does not wait for its deadline");
        assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    }
    // The first runs without a waiting caller, then the redelivered `wait` and `again`, then the resent `again`.
    pair.inside.has_started(6).await;
    pair.inside.gate.add_permits(6);
    assert_eq!(timeout(SOON, again).await.unwrap().unwrap().unwrap(), 2);
    assert_eq!(pair.client.add(3, 4).await.unwrap(), 7, "the server consumes again");
    assert_eq!(pair.inside.started(), 7, "what may run once only did not run again");
    pair.server.shutdown().await.unwrap();
}

/// Loses a call while it runs. The resent request does not run.
async fn lost_and_sent_again(prevent: impl Fn(&Faults)) -> Result<u32, CallError> {
    let faults = Faults::new();
    let pair = Pair::new(Broker::in_memory_with(&faults)).await;
    let again = tokio::spawn(pair.client.again(2).timeout(A_MINUTE));
    pair.inside.has_started(1).await;
    prevent(&faults);
    faults.lose_connection();
    let ended = timeout(A_MINUTE, again).await.unwrap().unwrap();
    pair.inside.gate.add_permits(10);
    pair.server.shutdown().await.unwrap();
    ended
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_may_have_run_after_resending() {
    let ended = lost_and_sent_again(|faults| faults.return_requests(1)).await;
    assert_ended!(ended, Err(CallError::ConnectionLost { may_have_run: true }));
    let ended = lost_and_sent_again(|faults| faults.reject_requests(1_000)).await;
    let refused = ended.unwrap_err();
    assert!(matches!(&refused, CallError::Refused(_)) && refused.may_have_run(), "{refused:?}");
}

async fn the_status_goes_down_and_up(between: Between, broker: Broker) {
    let mut changes = broker.status_changes();
    let mut next = async || timeout(A_MINUTE, changes.next()).await.unwrap();
    assert!(matches!(next().await, Some(BrokerStatus::Connected)));
    between.refuse();
    between.lose();
    assert!(matches!(next().await, Some(BrokerStatus::Connecting)));
    between.accept();
    while !matches!(next().await, Some(BrokerStatus::Connected)) {}
    broker.close().await;
    assert!(matches!(next().await, Some(BrokerStatus::Closed)));
    between.lose();
    assert!(next().await.is_none());
    assert!(matches!(broker.status(), BrokerStatus::Closed));
}

async fn calls_wait_until_connections_are_accepted_again(between: Between, broker: Broker) {
    let pair = Pair::new(broker).await;
    between.refuse();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3, "a connection that is there stays");
    between.lose();
    is_down(&pair.broker).await;
    let ended = pair.client.add(1, 2).timeout(Duration::from_millis(200)).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    let waiting = tokio::spawn(pair.client.add(3, 4).timeout(A_MINUTE));
    eventually("the server is not healthy", SOON, || {
        (!pair.server.health().is_ready()).then_some(())
    })
    .await;
    between.accept();
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
    is_connected(&pair.broker).await;
    pair.server.shutdown().await.unwrap();
}

async fn a_connection_can_be_lost_again_and_again(between: Between, broker: Broker) {
    let pair = Pair::new(broker).await;
    for n in 0..5 {
        between.lose();
        // Either nothing was sent on the lost connection, or the outcome is unknown.
        match pair.client.add(n, 1).timeout(A_MINUTE).await {
            Ok(sum) => assert_eq!(sum, n + 1),
            Err(error) => {
                assert_ended!(error, CallError::ConnectionLost { may_have_run: true });
            }
        }
    }
    assert_eq!(pair.client.add(1, 2).idempotent().timeout(A_MINUTE).await.unwrap(), 3);
    assert_eq!(pair.broker.in_flight(), 0);
    pair.server.shutdown().await.unwrap();
}

/// The status shows a loss even if the next connection follows at once.
#[tokio::test(start_paused = true)]
async fn an_injected_loss_is_always_seen() {
    let faults = Faults::new();
    let broker = Broker::in_memory_with(&faults);
    let mut changes = broker.status_changes();
    assert!(matches!(changes.next().await, Some(BrokerStatus::Connected)));
    for lived in [Duration::ZERO, A_MINUTE] {
        sleep(lived).await;
        faults.lose_connection();
        assert!(matches!(changes.next().await, Some(BrokerStatus::Connecting)));
        assert!(matches!(changes.next().await, Some(BrokerStatus::Connected)));
    }
}

#[tokio::test(start_paused = true)]
async fn held_messages_are_lost_with_the_connection() {
    let faults = Faults::new();
    let pair = Pair::new(Broker::in_memory_with(&faults)).await;
    faults.delay_requests(A_MINUTE);
    let call = tokio::spawn(pair.client.add(1, 2).timeout(2 * A_MINUTE));
    eventually("it is in flight", SOON, || (pair.broker.in_flight() == 1).then_some(())).await;
    faults.lose_connection();
    let ended = timeout(SOON, call).await.expect("it does not wait for its deadline");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    sleep(2 * A_MINUTE).await;
    assert_eq!(pair.inside.started(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_broker_may_be_unreachable_at_first() {
    let faults = Faults::new();
    faults.refuse_connections();
    let broker = Broker::in_memory_with(&faults);
    is_down(&broker).await;
    sleep(A_MINUTE).await;
    assert!(matches!(broker.status(), BrokerStatus::Connecting));
    faults.clear();
    is_connected(&broker).await;
    let pair = Pair::new(broker).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unused_lost_connection_is_noticed() {
    let faults = Faults::new();
    let broker = Broker::in_memory_with(&faults);
    faults.refuse_connections();
    faults.lose_connection();
    is_down(&broker).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_rerun_after_loss_counts_once() {
    let faults = Faults::new();
    let pair = Pair::new(Broker::in_memory_with(&faults)).await;
    let call = tokio::spawn(pair.client.wait(1).timeout(A_MINUTE));
    pair.inside.has_started(1).await;
    faults.lose_connection();
    assert_ended!(call.await.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    pair.inside.has_started(2).await;
    assert_eq!(pair.server.shutdown().await.unwrap_err().unfinished(), 1);
}
