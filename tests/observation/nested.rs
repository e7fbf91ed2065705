//! Spans of a call, and of the calls that its handler makes.

use opentelemetry::trace::{SpanId, SpanKind};
use rpc_runtime::{Broker, CallError, Context, Server, rpc_service};
use rpc_tests::{Rabbit, unique};
use tracing::Instrument as _;

use super::{brokers, queue, rabbitmq, spans};

#[rpc_service]
trait Inner {
    #[rpc(blocking)]
    fn twice(&self, n: u32) -> u32;
}

struct Doubling;

impl Inner for Doubling {
    fn twice(&self, n: u32) -> u32 {
        tracing::info_span!("work").in_scope(|| 2 * n)
    }
}

#[rpc_service]
trait Outer {
    async fn four_times(&self, n: u32) -> Result<u32, String>;
    async fn refuse(&self) -> Result<u32, String>;
    async fn panic(&self);
}

struct Nesting(InnerClient);

impl Outer for Nesting {
    async fn four_times(&self, n: u32) -> Result<u32, String> {
        let twice = self.0.twice(n).await.map_err(|error| error.to_string())?;
        // A spawned task has no span by default, but it has the context of the request.
        let (client, context) = (self.0.clone(), Context::current().ok_or("a handler")?);
        let spawned = tokio::spawn(context.scope(async move { client.twice(twice).await }));
        spawned.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    async fn refuse(&self) -> Result<u32, String> {
        Err("on principle".to_owned())
    }

    async fn panic(&self) {
        panic!("as it should");
    }
}

/// Both services, with unique queues and names.
async fn start(broker: &Broker) -> (String, String, OuterClient, [Server; 2]) {
    spans::collect();
    let (outer, inner) = (unique("outer"), unique("inner"));
    let calls = InnerClient::builder(broker).queue(&inner).build();
    let servers = [
        Server::builder(broker).service_on(queue(&inner), InnerServer::new(Doubling)),
        Server::builder(broker).service_on(queue(&outer), OuterServer::new(Nesting(calls))),
    ];
    let [inside, outside] = servers;
    let servers = [inside.start().await.unwrap(), outside.start().await.unwrap()];
    let client = OuterClient::builder(broker).queue(&outer).build();
    (outer, inner, client, servers)
}

#[tokio::test]
async fn the_spans_of_nested_calls_are_one_trace() {
    for broker in brokers().await {
        let (outer, inner, client, servers) = start(&broker).await;
        let root = tracing::info_span!("root", otel.name = unique("root"));
        assert_eq!(client.four_times(1).instrument(root).await.unwrap(), 4);

        let exported =
            async |kind, name, queue: &str| spans::at(kind, name, queue, 1).await.pop().unwrap();
        let call = exported(SpanKind::Client, "Outer/four_times", &outer).await;
        let request = exported(SpanKind::Server, "Outer/four_times", &outer).await;
        let calls = spans::at(SpanKind::Client, "Inner/twice", &inner, 2).await;
        let requests = spans::at(SpanKind::Server, "Inner/twice", &inner, 2).await;
        assert_ne!(call.parent_span_id, SpanId::INVALID, "the span around it");
        assert_eq!(request.parent_span_id, call.span_context.span_id());
        let trace = call.span_context.trace_id();
        for (nested, served) in calls.iter().zip(&requests) {
            assert_eq!(nested.span_context.trace_id(), trace);
            assert_eq!(served.parent_span_id, nested.span_context.span_id());
        }
        assert_eq!(calls[0].parent_span_id, request.span_context.span_id());
        // The call of the task started without a span: its parent comes from the headers of the request.
        assert_eq!(calls[1].parent_span_id, call.span_context.span_id());
        spans::child(&requests[0], "work").await;
        for server in servers {
            server.shutdown().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_unsent_call_has_a_span() {
    spans::collect();
    let broker = Broker::in_memory();
    let queue = unique("narrow");
    let client = OuterClient::builder(&broker).queue(&queue).max_request(0).build();
    assert!(matches!(client.four_times(1).await, Err(CallError::TooLarge(_))));
    let span = spans::at(SpanKind::Client, "Outer/four_times", &queue, 1).await.pop().unwrap();
    assert_eq!(spans::attribute(&span, "error.type"), "too-large");
    assert!(spans::has_failed(&span));
}

#[tokio::test]
async fn a_span_has_the_method_and_outcome() {
    for broker in brokers().await {
        let (outer, _, client, servers) = start(&broker).await;
        client.refuse().await.unwrap_err();
        assert!(matches!(client.panic().await, Err(CallError::Panicked)));
        for (name, status, failed) in
            [("Outer/refuse", "error", false), ("Outer/panic", "panicked", true)]
        {
            for kind in [SpanKind::Client, SpanKind::Server] {
                let span = spans::at(kind.clone(), name, &outer, 1).await.pop().unwrap();
                let attribute = |key| spans::attribute(&span, key);
                assert_eq!(attribute("rpc.system.name"), "rabbitmq-rpc");
                assert_eq!(attribute("rpc.method"), name);
                assert_eq!(attribute("rpc.response.status_code"), status);
                assert_eq!(attribute("error.type"), if failed { status } else { "" });
                assert_eq!(spans::has_failed(&span), failed);
                assert_eq!(attribute("messaging.system"), "rabbitmq");
                assert_eq!(attribute("messaging.destination.name"), outer);
                assert_eq!(attribute("messaging.message.conversation_id").len(), 36);
                let address = attribute("server.address");
                let expected =
                    kind == SpanKind::Client && !format!("{broker:?}").contains("in-memory");
                assert_eq!(address.contains(':'), expected, "{address}");
            }
        }
        for server in servers {
            server.shutdown().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_span_of_a_request_names_its_caller() {
    spans::collect();
    let announced = Broker::builder(Rabbit::shared().await.url()).announce_user();
    for (broker, user) in [(announced.connect().await.unwrap(), "guest"), (rabbitmq().await, "")] {
        let (outer, _, client, servers) = start(&broker).await;
        client.refuse().await.unwrap_err();
        let span = spans::at(SpanKind::Server, "Outer/refuse", &outer, 1).await.pop().unwrap();
        assert_eq!(spans::attribute(&span, "user.name"), user);
        for server in servers {
            server.shutdown().await.unwrap();
        }
    }
}
