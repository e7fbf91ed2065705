//! Trace context on the wire, exchanged with other programs.

use opentelemetry::trace::SpanKind;
use rpc_runtime::{Server, rpc_service};
use rpc_tests::{Message, Peer, QueueSpec, Rabbit, unique};

use super::{SOON, queue, rabbitmq, spans};

#[rpc_service(encoding = "json")]
trait Plain {
    async fn echo(&self, n: u32) -> u32;
}

struct Same;

impl Plain for Same {
    async fn echo(&self, n: u32) -> u32 {
        n
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_server_continues_a_foreign_trace() {
    spans::collect();
    let (broker, name) = (rabbitmq().await, unique("traced"));
    let server = Server::builder(&broker)
        .service_on(queue(&name), PlainServer::new(Same))
        .start()
        .await
        .unwrap();
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let request = Message {
        kind: Some("echo".to_owned()),
        reply_to: Some(callback.clone()),
        headers: serde_json::json!({
            "traceparent": format!("00-{TRACE}-00f067aa0ba902b7-01"),
            "tracestate": "vendor=1",
        }),
        ..Message::to(&name, "[7]")
    };
    peer.publish(request).await.unwrap();
    assert_eq!(peer.get(&callback, SOON).await.unwrap().expect("a reply").text(), "7");

    let span = spans::at(SpanKind::Server, "Plain/echo", &name, 1).await.pop().unwrap();
    assert_eq!(span.span_context.trace_id().to_string(), TRACE);
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!(span.span_context.trace_state().header(), "vendor=1");

    let odd = Message {
        kind: Some("echo".to_owned()),
        reply_to: Some(callback.clone()),
        headers: serde_json::json!({ "traceparent": "no trace at all" }),
        ..Message::to(&name, "[8]")
    };
    peer.publish(odd).await.unwrap();
    assert_eq!(peer.get(&callback, SOON).await.unwrap().expect("a reply").text(), "8");
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_call_sends_its_trace_context() {
    spans::collect();
    let (broker, name) = (rabbitmq().await, unique("traced"));
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.declare(QueueSpec::named(&name).classic()).await.unwrap();
    let client = PlainClient::builder(&broker).queue(&name).build();
    let call = tokio::spawn(client.echo(7));
    let request = peer.get(&name, SOON).await.unwrap().expect("a request");
    let parent = request.header("traceparent").as_str().unwrap().to_owned();
    call.abort();
    let span = spans::at(SpanKind::Client, "Plain/echo", &name, 1).await.pop().unwrap();
    let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
    assert_eq!(parent, format!("00-{trace}-{id}-01"));
    peer.delete(&name).await.unwrap();
}
