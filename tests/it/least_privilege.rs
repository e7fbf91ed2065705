//! The recipe of `docs/security.md`, applied exactly as printed, and its permissions and refusals.

use rpc_runtime::{Broker, BrokerErrorKind, CallError, Server, discovery::Discovery};
use rpc_tests::{Message, Node, Peer, QueueSpec, eventually_async, unique};

use crate::brokers::{Inside, SOON, SampleClient, SampleServer, assert_ended};

/// The commands of the recipe, split into words.
fn recipe() -> Vec<Vec<String>> {
    let text = include_str!("../../docs/security.md");
    let commands = text.lines().filter_map(|line| line.strip_prefix("rabbitmqctl "));
    commands
        .map(|command| {
            command.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
        })
        .collect()
}

async fn apply(commands: &[Vec<String>], node: &Node) {
    for command in commands {
        node.ctl(&command.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn the_recipe_permits_exactly_what_it_promises() {
    let node = Node::start().await;
    let commands = recipe();
    let (needed, optional) = commands.split_at(5);
    assert_eq!(optional.len(), 3);
    apply(needed, &node).await;
    let server_url = node.url_for("sample-server", "SERVER-PASSWORD", "%2f");
    let caller_url = node.url_for("sample-caller", "CALLER-PASSWORD", "%2f");

    let serving = Broker::builder(&server_url).exchange("rpc").connect().await.unwrap();
    let inside = Inside::new();
    let server =
        Server::builder(&serving).service(SampleServer::new(inside.clone())).start().await.unwrap();
    let calling = Broker::builder(&caller_url).exchange("rpc").connect().await.unwrap();
    let client = SampleClient::new(&calling);
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    client.note("x".into()).await.unwrap();
    inside.has_started(2).await;

    // RabbitMQ itself refuses another method.
    let ended = client.echo(vec![1]).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.kind() == BrokerErrorKind::NotPermitted);
    assert_eq!(client.add(1, 2).await.unwrap(), 3, "others go on");

    // A forged type does not help: the routing key counts.
    let peer = Peer::connect(&caller_url).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let forged = Message {
        exchange: "rpc".to_owned(),
        kind: Some("echo".to_owned()),
        content_type: Some("application/json".to_owned()),
        reply_to: Some(callback.clone()),
        ..Message::to("Sample.add", "[[1]]")
    };
    peer.publish(forged).await.unwrap();
    let answer = peer.get(&callback, SOON).await.unwrap().expect("an answer");
    assert_eq!(answer.header("rpc-fault"), "not-permitted");

    // A second routing key does not help: RabbitMQ 4 refuses it, and otherwise the server does.
    let second = Message {
        exchange: "rpc".to_owned(),
        kind: Some("add".to_owned()),
        content_type: Some("application/json".to_owned()),
        reply_to: Some(callback.clone()),
        headers: serde_json::json!({ "CC": ["Sample.echo"] }),
        ..Message::to("Sample.add", "[1, 2]")
    };
    peer.confirm().await.unwrap();
    match peer.publish(second).await {
        Ok(_) => {
            let answer = peer.get(&callback, SOON).await.unwrap().expect("an answer");
            assert_eq!(answer.header("rpc-fault"), "not-permitted");
        }
        Err(refused) => assert_eq!(refused.code, Some(403)),
    }

    // The default exchange, the queue itself, or an own queue bound to the service's requests do not help either.
    peer.confirm().await.unwrap();
    let around = Message { kind: Some("echo".to_owned()), ..Message::to("Sample", "[[1]]") };
    assert_eq!(peer.publish(around).await.unwrap_err().code, Some(403));
    assert_eq!(peer.take("Sample", SOON).await.unwrap_err().code, Some(403));
    assert_eq!(peer.delete("Sample").await.unwrap_err().code, Some(403));
    let own = QueueSpec::named(unique("own")).classic();
    assert_eq!(peer.declare(own).await.unwrap_err().code, Some(403));
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    assert_eq!(peer.bind(&callback, "rpc", "Sample.*").await.unwrap_err().code, Some(403));

    // A server has no right to other queues.
    let greedy = Server::builder(&serving)
        .service_on(rpc_runtime::Queue::named("Other"), SampleServer::new(Inside::new()))
        .start()
        .await
        .unwrap_err();
    assert_eq!(greedy.kind(), BrokerErrorKind::NotPermitted);

    // With the optional rights the server can be found by users who may ask.
    assert_eq!(client.add(1, 2).await.unwrap(), 3, "not to be found is no obstacle");
    apply(optional, &node).await;
    let operator_url = node.url_for("sample-operator", "OPERATOR-PASSWORD", "%2f");
    let asking = Broker::builder(&operator_url).exchange("rpc").connect().await.unwrap();
    let discovery = Discovery::new(&asking);
    assert_eq!(discovery.ping().await.unwrap(), []);
    node.close_connections().await;
    eventually_async("the server is found", SOON, async || {
        discovery.ping().await.is_ok_and(|found| found.len() == 1).then_some(())
    })
    .await;
    let ended = SampleClient::new(&asking).add(1, 2).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.kind() == BrokerErrorKind::NotPermitted);
    // A caller may not ask. The refusal does not affect its calls.
    eventually_async("its connection is another", SOON, async || client.add(1, 2).await.ok()).await;
    let error = Discovery::new(&calling).ping().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotPermitted);
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    server.shutdown().await.unwrap();
}
