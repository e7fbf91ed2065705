//! The user of a caller, checked by RabbitMQ, and its permissions.

use rpc_runtime::{Broker, BrokerErrorKind, FaultKind, ServerBuilder};
use rpc_tests::{Message, Peer, QueueSpec, Rabbit};

use crate::brokers::{Pair, SOON, SampleClient, on_both_brokers, refusal};

on_both_brokers! {
    anonymous_calls_are_refused_if_required;
    the_server_permits_or_refuses_methods;
}

fn strict(server: ServerBuilder) -> ServerBuilder {
    server.require_caller()
}

async fn anonymous_calls_are_refused_if_required(broker: Broker) {
    let pair = Pair::with(broker, strict).await;
    let fault = refusal(pair.client.add(1, 2).await);
    assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::NotPermitted, false));
    assert!(fault.message().contains("announce_user"), "{fault}");
    assert_eq!(pair.inside.started(), 0);
    pair.server.shutdown().await.unwrap();
}

async fn the_server_permits_or_refuses_methods(broker: Broker) {
    let permit = |server: ServerBuilder| {
        server.authorize(|request| match (request.method(), request.header("role")) {
            ("add", _) | (_, Some("admin")) => Ok(()),
            (method, _) => Err(format!("{method} is for administrators")),
        })
    };
    let pair = Pair::with(broker, permit).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    let fault = refusal(pair.client.echo(vec![1]).await);
    assert_eq!(fault.kind(), FaultKind::NotPermitted);
    assert_eq!(fault.message(), "echo is for administrators");
    assert_eq!(pair.client.echo(vec![1]).header("role", "admin").await.unwrap(), [1]);
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn rabbitmq_refuses_a_forged_user() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::builder(url).announce_user().connect().await.unwrap();
    let only_guest = |server: ServerBuilder| {
        server.require_caller().authorize(|request| match request.caller() {
            Some("guest") => Ok(()),
            other => Err(format!("not for {other:?}")),
        })
    };
    let pair = Pair::with(broker, only_guest).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);

    let refused = pair.broker.as_user("director").unwrap_err();
    assert_eq!(refused.kind(), BrokerErrorKind::Misuse, "{refused}");
    assert!(!refused.to_string().contains("guest:guest"), "{refused}");

    let silent = Broker::connect(url).await.unwrap();
    let client = SampleClient::builder(&silent).queue(&pair.queue).build();
    assert_eq!(refusal(client.add(1, 2).await).kind(), FaultKind::NotPermitted);

    let peer = Peer::connect(url).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    peer.confirm().await.unwrap();
    let request = |user: &str| Message {
        kind: Some("add".to_owned()),
        content_type: Some("application/json".to_owned()),
        reply_to: Some(callback.clone()),
        user_id: Some(user.to_owned()),
        ..Message::to(&pair.queue, "[1,2]")
    };
    let forged = peer.publish(request("director")).await.unwrap_err();
    assert_eq!(forged.code, Some(406), "{forged}");
    peer.publish(request("guest")).await.unwrap();
    assert_eq!(peer.get(&callback, SOON).await.unwrap().expect("a reply").text(), "3");
    pair.server.shutdown().await.unwrap();
}
