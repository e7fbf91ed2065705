//! Calls without a trait.

use std::time::Duration;

use rpc_runtime::{Broker, CallError, Encoding, FaultKind, UntypedClient};
use rpc_tests::unique;
use serde_json::{Value, json};

use crate::brokers::{Pair, assert_ended, on_both_brokers, refusal};

on_both_brokers! {
    arguments_go_by_place_and_by_name;
    a_methods_own_error_arrives_unchanged;
    wrong_untyped_calls_are_explained;
    bytes_of_bincode_need_no_signature;
    a_call_takes_headers_and_a_timeout;
}

fn parsed(reply: &rpc_runtime::UntypedReply) -> Value {
    assert_eq!(reply.encoding, Encoding::Json);
    serde_json::from_slice(&reply.body).unwrap()
}

async fn arguments_go_by_place_and_by_name(broker: Broker) {
    let pair = Pair::new(broker).await;
    let client = UntypedClient::new(&pair.broker, &pair.queue);
    for arguments in ["[1, 2]", r#"{"b": 2, "a": 1}"#] {
        assert_eq!(parsed(&client.call("add", arguments).await.unwrap()), json!(3));
    }
    pair.server.shutdown().await.unwrap();
}

async fn a_methods_own_error_arrives_unchanged(broker: Broker) {
    let pair = Pair::new(broker).await;
    let client = UntypedClient::new(&pair.broker, &pair.queue);
    match client.call("divide", "[7, 0]").await {
        Err(CallError::Application(error)) => {
            assert_eq!(parsed(&error), json!({"ByZero": {"dividend": 7}}));
        }
        other => panic!("{other:?}"),
    }
    pair.server.shutdown().await.unwrap();
}

async fn wrong_untyped_calls_are_explained(broker: Broker) {
    let pair = Pair::new(broker).await;
    let client = UntypedClient::new(&pair.broker, &pair.queue);
    let unknown = refusal(client.call("multiply", "[]").await);
    assert_eq!(unknown.kind(), FaultKind::UnknownMethod);
    let wrong = refusal(client.call("add", "[1]").await);
    assert_eq!(wrong.kind(), FaultKind::BadArguments);
    assert_ended!(client.call("no.such", "[]").await, Err(CallError::Encode(_)));
    let nobody = UntypedClient::new(&pair.broker, unique("nobody"));
    assert_ended!(nobody.call("add", "[1, 2]").await, Err(CallError::NoServer));
    pair.server.shutdown().await.unwrap();
}

async fn bytes_of_bincode_need_no_signature(broker: Broker) {
    let pair = Pair::new(broker).await;
    let client = UntypedClient::new(&pair.broker, &pair.queue).encoding(Encoding::Bincode);
    let reply = client.call("add", vec![1, 2]).await.unwrap();
    assert_eq!((reply.encoding, &reply.body[..]), (Encoding::Bincode, &[3][..]));
    pair.server.shutdown().await.unwrap();
}

async fn a_call_takes_headers_and_a_timeout(broker: Broker) {
    let pair = Pair::new(broker).await;
    let client = UntypedClient::new(&pair.broker, &pair.queue);
    let seen = client.call("seen", "[]").header("tenant", "a").await.unwrap();
    assert_eq!(parsed(&seen)["headers"], json!([["tenant", "a"]]));
    let hurried = client.timeout(Duration::from_millis(50)).call("wait", "[1]").await;
    assert_ended!(hurried, Err(CallError::DeadlineExceeded { may_have_run: true }));
    pair.inside.gate.add_permits(1);
    pair.server.shutdown().await.unwrap();
}
