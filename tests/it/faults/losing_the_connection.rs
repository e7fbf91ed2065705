//! A connection that is lost while calls are in flight.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerStatus, CallError, Unavailable};
use rpc_tests::{Direction, Node, Rabbit, eventually, unique};
use tokio::time::{Instant, timeout};

use super::{AT_ONCE, is_connected, is_down, relay_to, relayed, status};
use crate::brokers::{Pair, SOON, SampleClient, assert_ended, rabbitmq};

const A_MINUTE: Duration = Duration::from_secs(60);

/// Row 3.
#[tokio::test]
async fn a_killed_broker_that_restarts_is_used_again() {
    let node = Node::start().await;
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let again = tokio::spawn(pair.client.again(1).timeout(A_MINUTE));
    let unknown = tokio::spawn(pair.client.wait(2).timeout(A_MINUTE));
    pair.inside.has_started(2).await;
    node.settle().await;

    node.kill9();
    let ended = timeout(AT_ONCE, unknown).await.expect("it does not wait for its deadline");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    is_down(&pair.broker).await;
    let meanwhile = tokio::spawn(pair.client.add(1, 2).timeout(A_MINUTE));
    node.restart().await;

    // The interrupted handlers may take permits too, so add enough for all.
    pair.inside.gate.add_permits(100);
    assert_eq!(timeout(A_MINUTE, meanwhile).await.unwrap().unwrap().unwrap(), 3);
    assert_eq!(timeout(A_MINUTE, again).await.unwrap().unwrap().unwrap(), 1);
    assert_eq!(pair.client.add(3, 4).await.unwrap(), 7, "the server consumes again by itself");
    pair.server.shutdown().await.unwrap();
}

/// Row 3: the broker closes the connection and keeps running.
#[tokio::test]
async fn a_closed_connection_is_replaced() {
    let node = Node::start().await;
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let unknown = tokio::spawn(pair.client.wait(1).timeout(A_MINUTE));
    let again = tokio::spawn(pair.client.again(2).timeout(A_MINUTE));
    pair.inside.has_started(2).await;
    node.close_connections().await;
    let ended = timeout(AT_ONCE, unknown).await.expect("it does not wait for its deadline");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    pair.inside.gate.add_permits(100);
    assert_eq!(timeout(SOON, again).await.unwrap().unwrap().unwrap(), 2);
    pair.server.shutdown().await.unwrap();
}

/// Row 4.
#[tokio::test]
async fn no_call_hangs_when_the_connection_is_cut() {
    let pair = Pair::new(rabbitmq().await).await;
    let (relay, url) = relay_to(Rabbit::shared().await.url()).await;
    // The handshake takes about 1,000 bytes, opening the channels another 1,000, and each call about 600.
    for bytes in (1..6_000).step_by(211) {
        relay.cut_after(bytes);
        let connecting = Broker::builder(&url).connect_timeout(SOON).connect();
        let broker = timeout(2 * SOON, connecting).await.expect("it ends").unwrap();
        let client = SampleClient::builder(&broker).queue(&pair.queue).timeout(SOON).build();
        for n in 0..6 {
            let ended = timeout(SOON + AT_ONCE, client.add(n, 1)).await.expect("it ends");
            match ended {
                Ok(sum) => assert_eq!(sum, n + 1),
                Err(error) => {
                    assert_ended!(error, CallError::ConnectionLost { may_have_run: true });
                }
            }
        }
        assert_eq!(broker.in_flight(), 0);
        relay.resume();
    }
    pair.server.shutdown().await.unwrap();
}

/// Row 4: the connection of a server is cut between any two bytes, and every call succeeds.
#[tokio::test]
async fn a_server_serves_again_after_any_cut() {
    let (relay, builder) = relayed().await;
    let pair = Pair::new(builder.connect().await.unwrap()).await;
    let callers = rabbitmq().await;
    let client = SampleClient::builder(&callers).queue(&pair.queue).timeout(A_MINUTE).build();
    for bytes in (1..4_000).step_by(571) {
        relay.cut_after(bytes);
        for n in 0..6 {
            assert_eq!(client.add(n, 1).await.unwrap(), n + 1, "after {bytes} bytes");
        }
        relay.resume();
    }
    pair.server.shutdown().await.unwrap();
}

/// Row 5.
#[tokio::test]
async fn deadlines_hold_on_a_half_open_connection() {
    for direction in [Direction::Both, Direction::ToClient, Direction::ToBroker] {
        let (relay, builder) = relayed().await;
        let pair = Pair::new(rabbitmq().await).await;
        let broker = builder.connect().await.unwrap();
        let client = SampleClient::builder(&broker).queue(&pair.queue).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3);

        relay.stall(direction);
        let started = Instant::now();
        let patient = tokio::spawn(client.add(3, 4).timeout(A_MINUTE));
        let ended = client.add(1, 2).timeout(Duration::from_millis(200)).await;
        assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
        assert!(started.elapsed() < AT_ONCE, "{direction:?}");
        is_down(&broker).await;
        // Twice the heartbeat of one second, and some time for a machine under load.
        assert!(started.elapsed() < Duration::from_secs(8), "{direction:?}");
        let ended = timeout(AT_ONCE, patient).await.expect("it ends with the connection");
        assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));

        relay.resume();
        is_connected(&broker).await;
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        pair.server.shutdown().await.unwrap();
    }
}

/// Row 5: sent bytes vanish without an error.
#[tokio::test]
async fn a_network_that_drops_everything_is_noticed() {
    let (relay, builder) = relayed().await;
    let broker = builder.connect().await.unwrap();
    relay.swallow(Direction::Both);
    is_down(&broker).await;
    relay.resume();
    // An attempt whose first bytes were dropped would end only after ten seconds.
    relay.cut();
    is_connected(&broker).await;
}

/// Row 3, as an option: calls without a connection fail at once and are not sent.
#[tokio::test]
async fn without_waiting_calls_fail_while_disconnected() {
    let (relay, builder) = relayed().await;
    let pair = Pair::new(rabbitmq().await).await;
    let broker = builder.when_unavailable(Unavailable::Fail).connect().await.unwrap();
    let client = SampleClient::builder(&broker).queue(&pair.queue).timeout(A_MINUTE).build();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    let in_flight = tokio::spawn(client.again(1));
    pair.inside.has_started(2).await;

    relay.refuse();
    relay.cut();
    // It could be resent, but not without a connection; and it may have run.
    let ended = timeout(AT_ONCE, in_flight).await.expect("it ends with the connection");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    is_down(&broker).await;
    let ended = timeout(AT_ONCE, client.add(1, 2)).await.expect("it does not wait");
    assert_ended!(ended, Err(CallError::ConnectionLost { may_have_run: false }));
    assert!(ended.unwrap_err().is_retryable());

    relay.resume();
    is_connected(&broker).await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    pair.inside.gate.add_permits(1);
    pair.server.shutdown().await.unwrap();
}

/// Rows 3 and 17: the status is a stream.
#[tokio::test]
async fn the_status_of_a_broker_can_be_followed() {
    let (relay, builder) = relayed().await;
    let broker = builder.connect().await.unwrap();
    let mut changes = broker.status_changes();
    let mut next = async || timeout(A_MINUTE, changes.next()).await.unwrap();
    assert!(matches!(next().await, Some(BrokerStatus::Connected)));
    relay.refuse();
    relay.cut();
    assert!(matches!(next().await, Some(BrokerStatus::Connecting)));
    relay.resume();
    while !matches!(next().await, Some(BrokerStatus::Connected)) {}
    broker.close().await;
    assert!(matches!(next().await, Some(BrokerStatus::Closed)));
    assert!(next().await.is_none());
    status(&broker, "closed", |status| matches!(status, BrokerStatus::Closed)).await;
}

/// Row 28.
#[test]
fn a_runtime_dropped_while_reconnecting_leaves_nothing() {
    let outside = tokio::runtime::Runtime::new().unwrap();
    let (relay, builder) = outside.block_on(relayed());
    for (refused, stalled) in [(true, false), (false, false), (false, true)] {
        let inside = tokio::runtime::Runtime::new().unwrap();
        let broker = inside.block_on(builder.clone().connect()).unwrap();
        let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
        let call = inside.spawn(client.add(1, 2).timeout(A_MINUTE));
        if refused {
            relay.refuse();
        }
        if stalled {
            relay.stall(Direction::Both);
        }
        let before = relay.accepted();
        relay.cut();
        if refused {
            outside.block_on(is_down(&broker));
        } else {
            let another = || (relay.accepted() > before).then_some(());
            outside.block_on(eventually("it connects again", SOON, another));
        }
        drop(inside);
        // The runtime's tasks are dropped and not leaked, and waiters in another runtime get an error.
        assert!(call.is_finished(), "refused {refused}, stalled {stalled}");
        drop((broker, client));
        relay.resume();
        if stalled {
            relay.cut();
        }
        let none = || (relay.open() == 0).then_some(());
        outside.block_on(eventually("no connection is left", SOON, none));
    }
}
