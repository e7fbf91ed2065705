//! Users with few permissions.

use rpc_runtime::{Broker, BrokerErrorKind, CallError, Server, discovery::Discovery};
use rpc_tests::{Node, unique};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use super::{AT_ONCE, relay_to};
use crate::brokers::{Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, queue};

/// One node for all users here.
async fn node() -> &'static Node {
    static NODE: OnceCell<Node> = OnceCell::const_new();
    NODE.get_or_init(Node::start).await
}

/// A new user with these rights, and its address.
async fn user(rights: [&str; 3]) -> (String, String) {
    let (node, name) = (node().await, unique("user"));
    node.add_user(&name, "secret", rights).await;
    let url = node.url_for(&name, "secret", "%2f");
    (name, url)
}

fn is_refused<T: std::fmt::Debug, E: std::fmt::Debug>(ended: &Result<T, CallError<E>>) {
    assert_ended!(ended, Err(CallError::Broker(error)) if error.kind() == BrokerErrorKind::NotPermitted);
}

/// Row 18: calls of a forbidden method fail. All other calls succeed, also those in flight.
#[tokio::test]
async fn a_refused_method_does_not_affect_others() {
    let node = node().await;
    let exchange = unique("rpc");
    let broker = Broker::builder(&node.url()).exchange(&exchange).connect().await.unwrap();
    let pair = Pair::new(broker).await;
    let (name, url) =
        user(["^amq[.]gen", &format!("^(amq[.]gen.*|{exchange})$"), "^amq[.]gen"]).await;
    let allowed = format!("^{}[.](add|wait)$", pair.queue);
    node.ctl(&["set_topic_permissions", &name, &exchange, &allowed, ".*"]).await;

    let (relay, url) = relay_to(&url).await;
    let broker = Broker::builder(&url).exchange(&exchange).connect().await.unwrap();
    let client = SampleClient::builder(&broker).queue(&pair.queue).build();
    let patient = tokio::spawn(client.wait(1).timeout(2 * SOON));
    pair.inside.has_started(1).await;
    for round in 0..5 {
        let before: Vec<_> = (0..50).map(|n| tokio::spawn(client.add(n, round))).collect();
        let forbidden = tokio::spawn(client.divide(1, 1));
        let after: Vec<_> = (50..100).map(|n| tokio::spawn(client.add(n, round))).collect();
        is_refused(&timeout(SOON, forbidden).await.unwrap().unwrap());
        for (n, call) in (0..).zip(before.into_iter().chain(after)) {
            assert_eq!(timeout(SOON, call).await.unwrap().unwrap().unwrap(), n + round);
        }
    }
    pair.inside.gate.add_permits(1);
    assert_eq!(timeout(SOON, patient).await.unwrap().unwrap().unwrap(), 1);
    assert_eq!(relay.accepted(), 1, "the connection was never lost");
    assert_eq!(pair.inside.started(), 501, "nothing ran twice");
    pair.server.shutdown().await.unwrap();
}

/// Row 18, with direct reply-to: replies come on the channel that is closed, so calls in flight have an unknown outcome.
#[tokio::test]
async fn a_refusal_ends_calls_with_direct_replies() {
    let node = node().await;
    let exchange = unique("rpc");
    let broker = Broker::builder(&node.url()).exchange(&exchange).connect().await.unwrap();
    let pair = Pair::new(broker).await;
    let (name, url) = user(["^$", &format!("^{exchange}$"), "^$"]).await;
    let allowed = format!("^{}[.](add|wait)$", pair.queue);
    node.ctl(&["set_topic_permissions", &name, &exchange, &allowed, ".*"]).await;

    let builder = Broker::builder(&url).exchange(&exchange).direct_reply_to(true);
    let client =
        SampleClient::builder(&builder.connect().await.unwrap()).queue(&pair.queue).build();
    let patient = tokio::spawn(client.wait(1).timeout(2 * SOON));
    pair.inside.has_started(1).await;
    is_refused(&timeout(SOON, client.divide(1, 1)).await.unwrap());
    let ended = timeout(AT_ONCE, patient).await.expect("it ends with its channel");
    assert_ended!(ended.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    pair.inside.gate.add_permits(1);
    pair.server.shutdown().await.unwrap();
}

/// Row 18: no right to publish.
#[tokio::test]
async fn each_call_without_write_permission_fails() {
    let (_, url) = user(["^amq[.]gen", "^amq[.]gen", "^amq[.]gen"]).await;
    let (relay, url) = relay_to(&url).await;
    let broker = Broker::connect(&url).await.unwrap();
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    let started = Instant::now();
    for _ in 0..5 {
        let ended = timeout(SOON, client.add(1, 2)).await.expect("it does not wait");
        is_refused(&ended);
        assert!(!ended.unwrap_err().is_retryable());
        is_refused(&client.note("x".into()).await);
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(relay.accepted(), 1, "the connection was never lost");
}

/// Row 18: no right to a callback queue.
#[tokio::test]
async fn a_forbidden_callback_queue_fails_the_call() {
    let (_, url) = user(["^$", ".*", ".*"]).await;
    let broker = Broker::connect(&url).await.unwrap();
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    for _ in 0..3 {
        let ended = timeout(SOON, client.add(1, 2)).await.expect("it does not wait");
        is_refused(&ended);
        assert!(format!("{ended:?}").contains("callback queue"), "{ended:?}");
    }
}

/// Row 18: servers without the right to declare or to consume.
#[tokio::test]
async fn a_server_without_queue_permission_does_not_start() {
    for (rights, what) in [(["^$", ".*", ".*"], "declaring"), ([".*", ".*", "^$"], "consuming")] {
        let (_, url) = user(rights).await;
        let broker = Broker::connect(&url).await.unwrap();
        let name = unique("forbidden");
        let starting = Server::builder(&broker)
            .service_on(queue(&name), SampleServer::new(Inside::new()))
            .start();
        let error = timeout(SOON, starting).await.expect("it does not wait").unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::NotPermitted);
        let text = error.to_string();
        assert!(text.contains(what) && text.contains(&name), "{text}");
    }
}

/// Row 18: a refused discovery request closes its channel at the same moment as the broker. Nothing else is affected.
#[tokio::test]
async fn simultaneous_channel_closes_keep_the_connection() {
    let pair = Pair::new(Broker::connect(&node().await.url()).await.unwrap()).await;
    let (_, url) = user(["^amq[.]gen", "^(amq[.]gen.*|amq[.]default)$", "^amq[.]gen"]).await;
    let (relay, url) = relay_to(&url).await;
    let broker = Broker::connect(&url).await.unwrap();
    let client = SampleClient::builder(&broker).queue(&pair.queue).build();
    for n in 0..50 {
        let refused = Discovery::new(&broker).ping().await.unwrap_err();
        assert_eq!(refused.kind(), BrokerErrorKind::NotPermitted);
        assert_eq!(client.add(n, 1).await.unwrap(), n + 1);
    }
    assert_eq!(relay.accepted(), 1, "the connection was never lost");
    pair.server.shutdown().await.unwrap();
}
