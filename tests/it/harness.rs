//! Tests of the harness itself: its node, its raw peer, and its cleaning up.

use std::time::Duration;

use rpc_tests::{Message, Node, Peer, Published, Python, QueueSpec, Rabbit, typed, unique};
use serde_json::json;

const SOON: Duration = Duration::from_secs(10);
const NOW: Duration = Duration::ZERO;

#[tokio::test]
async fn every_property_and_header_travels() {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let queue = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let sent = Message {
        content_type: Some("text/plain".to_owned()),
        content_encoding: Some("utf-8".to_owned()),
        headers: json!({
            "text": "é", "flag": true, "nothing": null, "list": [1, [2]], "table": { "inner": { "deep": 1 } },
            "long": typed('l', 5), "short": typed('s', -5), "bytes": typed('x', "AP8="),
        }),
        delivery_mode: Some(1),
        priority: Some(3),
        correlation_id: Some("c".to_owned()),
        reply_to: Some("r".to_owned()),
        expiration: Some("60000".to_owned()),
        message_id: Some("m".to_owned()),
        timestamp: Some(1_700_000_000),
        kind: Some("method".to_owned()),
        user_id: None,
        app_id: Some("a".to_owned()),
        cluster_id: Some("k".to_owned()),
        ..Message::to(&queue, [0, 159, 146, 150])
    };
    assert_eq!(peer.publish(sent.clone()).await, Ok(Published::Sent));

    let got = peer.get(&queue, SOON).await.unwrap().expect("it was published");
    assert_eq!(got.header("long"), 5);
    assert_eq!(got.header("short"), -5);
    assert_eq!(got.header("list"), &json!([1, [2]]));
    assert_eq!(got.header("nothing"), &json!(null));
    assert_eq!(got.header("bytes"), &typed('x', "AP8="));
    let kinds = [
        ("long", 'l'),
        ("short", 's'),
        ("text", 'S'),
        ("flag", 't'),
        ("table", 'F'),
        ("list", 'A'),
    ];
    for (name, kind) in kinds {
        assert_eq!(got.header_kinds[name], kind, "{name}");
    }
    let same = Message {
        headers: sent.headers.clone(),
        header_kinds: sent.header_kinds.clone(),
        delivery_tag: None,
        ..got
    };
    assert_eq!(same, sent);
    assert_eq!(peer.get(&queue, NOW).await, Ok(None));
}

#[tokio::test]
async fn a_peer_survives_a_refusal() {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let name = unique("refusal");
    let refused = peer.queue(&name).await.unwrap_err();
    assert_eq!((refused.kind.as_str(), refused.code), ("ChannelClosedByBroker", Some(404)));
    assert!(refused.text.contains(&name), "{refused}");

    assert_eq!(peer.declare(QueueSpec::named(&name).quorum()).await.unwrap().messages, 0);
    let refused = peer.declare(QueueSpec::named(&name).classic()).await.unwrap_err();
    assert_eq!(refused.code, Some(406), "{refused}");
    assert_eq!(peer.delete(&name).await, Ok(0));
}

#[tokio::test]
async fn an_unroutable_message_comes_back() {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let lost = Message { mandatory: true, ..Message::to(unique("nowhere"), "lost") };
    assert_eq!(peer.publish(lost.clone()).await, Ok(Published::Sent));
    assert_eq!(peer.returned(SOON).await.unwrap().expect("it comes back").body, b"lost");

    peer.confirm().await.unwrap();
    assert_eq!(peer.publish(lost).await, Ok(Published::Returned));
}

#[tokio::test]
async fn unacknowledged_messages_are_delivered_again() {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let queue = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    peer.publish(Message::to(&queue, "once")).await.unwrap();
    let first = peer.take(&queue, SOON).await.unwrap().expect("it was published");
    assert!(!first.redelivered);
    peer.nack(&first, true).await.unwrap();
    let second = peer.take(&queue, SOON).await.unwrap().expect("it was given back");
    assert!(second.redelivered);
    peer.ack(&second).await.unwrap();
    assert_eq!(peer.queue(&queue).await.unwrap().messages, 0);
}

#[tokio::test]
async fn direct_reply_to_works_between_two_peers() {
    let url = Rabbit::shared().await.url();
    let (caller, worker) = (Peer::connect(url).await.unwrap(), Peer::connect(url).await.unwrap());
    let queue = worker.declare(QueueSpec::named("").exclusive()).await.unwrap().name;

    let replies = caller.consume("amq.rabbitmq.reply-to").await.unwrap();
    let request = Message {
        reply_to: Some("amq.rabbitmq.reply-to".to_owned()),
        ..Message::to(&queue, "ping")
    };
    caller.publish(request).await.unwrap();

    let request = worker.get(&queue, SOON).await.unwrap().expect("the request");
    let address = request.reply_to.expect("the broker has put an address there");
    worker.publish(Message::to(address, "pong")).await.unwrap();
    assert_eq!(caller.next(&replies, SOON).await.unwrap().expect("the reply").body, b"pong");
    worker.close().await.unwrap();
}

#[tokio::test]
async fn a_consumer_is_cancelled_with_its_queue() {
    let url = Rabbit::shared().await.url();
    let (one, other) = (Peer::connect(url).await.unwrap(), Peer::connect(url).await.unwrap());
    let queue = unique("gone");
    one.declare(QueueSpec::named(&queue).classic()).await.unwrap();
    let consumer = one.consume(&queue).await.unwrap();
    assert_eq!(other.queue(&queue).await.unwrap().consumers, 1);
    other.delete(&queue).await.unwrap();
    assert_eq!(one.cancelled(&consumer, SOON).await, Ok(true));
}

#[tokio::test]
async fn a_node_restarts_with_ports_and_data() {
    let node = Node::builder().config("consumer_timeout = 900000").start().await;
    let peer = Peer::connect(&node.url()).await.unwrap();
    peer.declare(QueueSpec::named("kept").quorum()).await.unwrap();
    peer.confirm().await.unwrap();
    let message = Message { delivery_mode: Some(2), ..Message::to("kept", "still here") };
    assert_eq!(peer.publish(message).await, Ok(Published::Confirmed));

    node.settle().await;
    node.kill9();
    let url = node.url();
    assert!(Peer::connect(&url).await.is_err(), "a dead node accepts nobody");
    node.restart().await;
    assert_eq!(node.url(), url);

    let peer = Peer::connect(&url).await.unwrap();
    assert_eq!(
        peer.get("kept", SOON).await.unwrap().expect("it was confirmed").body,
        b"still here"
    );

    assert_eq!(node.eval("rabbit:is_running().").await, "true");
    node.add_user("narrow", "secret", ["^$", "^$", ".*"]).await;
    let narrow = Peer::connect(&node.url_for("narrow", "secret", "%2f")).await.unwrap();
    assert_eq!(
        narrow.declare(QueueSpec::named("mine").classic()).await.unwrap_err().code,
        Some(403)
    );
    let wrong = Peer::connect(&node.url_for("narrow", "wrong", "%2f")).await.unwrap_err();
    assert_eq!(wrong.kind, "ProbableAuthenticationError", "{wrong}");

    node.close_connections().await;
    assert!(peer.queue("kept").await.is_err(), "the connection was closed");
}

/// The Python peers with each other. If this works, a failure with ours is our fault.
#[tokio::test]
async fn python_peers_answer_each_other() {
    let url = Rabbit::shared().await.url();
    let python = Python::find();
    for (server, generation, clients) in [
        ("tutorial_server.py", "older", ["tutorial_client.py", "aio_client.py"]),
        ("tutorial_server.py", "current", ["tutorial_client.py", "aio_client.py"]),
        ("aio_server.py", "current", ["tutorial_client.py", "aio_client.py"]),
    ] {
        let queue = unique("peers");
        let mut server = python.start(server, &[url, &queue, "--generation", generation]);
        server.line_with("ready", SOON).await;
        for client in clients {
            let client = python.start(client, &[url, &queue, "30", "--generation", generation]);
            assert_eq!(client.success(SOON * 3).await, "832040");
        }
        server.terminate();
        assert!(server.wait(SOON).await.success(), "{:?}", server.lines());
        Peer::connect(url).await.unwrap().delete(&queue).await.unwrap();
    }
}
