//! Queues that are deleted or lose their consumer while in use.

use std::time::Duration;

use rpc_runtime::{Broker, CallError};
use rpc_tests::{Node, Peer, Rabbit, eventually_async};
use tokio::time::timeout;

use super::AT_ONCE;
use crate::brokers::{Pair, SOON, assert_ended, rabbitmq};

const A_MINUTE: Duration = Duration::from_secs(60);

/// Row 21: the broker closes the channel of a consumer that does not acknowledge for too long.
#[tokio::test]
async fn a_consumer_that_timed_out_consumes_again() {
    let node = Node::start().await;
    // The default is half an hour, checked once a minute.
    for setting in ["consumer_timeout", "channel_tick_interval"] {
        node.eval(&format!("application:set_env(rabbit, {setting}, 1000).")).await;
    }
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let call = tokio::spawn(pair.client.wait(7).timeout(A_MINUTE));
    let once = tokio::spawn(pair.client.once(8).timeout(A_MINUTE));
    pair.inside.has_started(2).await;
    // The first run continues and the request is redelivered. At-most-once requests do not run twice.
    pair.inside.has_started(3).await;
    pair.inside.gate.add_permits(100);
    assert_eq!(timeout(SOON, call).await.unwrap().unwrap().unwrap(), 7);
    let ended = once.await.unwrap();
    assert!(ended.unwrap_err().may_have_run());
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

/// Row 22.
#[tokio::test]
async fn a_deleted_queue_is_declared_again() {
    let pair = Pair::new(rabbitmq().await).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    for round in 0..3 {
        assert_eq!(pair.client.add(round, 1).await.unwrap(), round + 1);
        peer.delete(&pair.queue).await.unwrap();
        eventually_async("the queue is served again", SOON, async || {
            pair.client.add(1, 2).await.ok()
        })
        .await;
    }
    pair.server.shutdown().await.unwrap();
}

/// Row 27, for callers: the callback queue is deleted, and the connection stays.
#[tokio::test]
async fn a_deleted_callback_queue_is_replaced() {
    const DELETE: &str = "[rabbit_amqqueue:delete(Q, false, false, <<\"test\">>) || Q <- rabbit_amqqueue:list(), \
        {resource, _, queue, <<\"amq.gen\", _/binary>>} <- [amqqueue:get_name(Q)]], ok.";
    let node = Node::start().await;
    let pair = Pair::new(Broker::connect(&node.url()).await.unwrap()).await;
    let unknown = tokio::spawn(pair.client.wait(1).timeout(A_MINUTE));
    let again = tokio::spawn(pair.client.again(2).timeout(A_MINUTE));
    pair.inside.has_started(2).await;
    node.eval(DELETE).await;
    let ended = timeout(AT_ONCE, unknown).await.expect("it ends with its callback queue");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    pair.inside.gate.add_permits(100);
    assert_eq!(timeout(SOON, again).await.unwrap().unwrap().unwrap(), 2);
    pair.server.shutdown().await.unwrap();
}
