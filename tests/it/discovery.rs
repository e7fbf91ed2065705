//! Discovery: servers describe themselves.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use rpc_runtime::{
    Broker, BrokerErrorKind, Dispatch, HealthStatus, Server,
    discovery::{Discovery, InstanceStats, MethodStats},
    rpc_service,
};
use rpc_tests::{Message, Node, Peer, QueueSpec, Rabbit, eventually_async, unique};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::brokers::{Inside, Pair, SOON, SampleClient, SampleServer, on_both_brokers, queue};

on_both_brokers! {
    info_has_the_schemas_of_types;
    a_server_describes_itself;
    only_servers_of_the_service_answer;
    stats_have_counts_and_latencies;
    a_draining_server_is_not_ready;
    a_server_without_discovery_is_not_found;
    an_ended_server_does_not_answer;
    health_follows_the_connection;
}

async fn a_server_describes_itself(broker: Broker) {
    let pair = Pair::with(broker.clone(), |server| server.concurrency(3)).await;
    let discovery = Discovery::new(&broker).instance(pair.server.instance());
    let [ping] = &discovery.ping().await.unwrap()[..] else { panic!("one answers") };
    assert_eq!((&ping.services[..], ping.ready), (&["Sample".to_owned()][..], true));
    assert_eq!(ping.instance, pair.server.instance());
    assert!(ping.round_trip > Duration::ZERO && ping.round_trip < SOON, "{ping:?}");

    let [info] = &discovery.info().await.unwrap()[..] else { panic!("one answers") };
    assert_eq!((info.process, info.limits.concurrency), (std::process::id(), 3));
    assert_eq!(info.limits.max_request, 16 * 1024 * 1024);
    assert!(info.encodings.contains(&"application/json".to_owned()), "{info:?}");
    assert!(!info.host.is_empty() && info.started_ms > 1_700_000_000_000, "{info:?}");
    let [service] = &info.services[..] else { panic!("one service") };
    assert_eq!((service.name.as_str(), &service.queue), ("Sample", &pair.queue));
    assert_eq!(service.doc, "A bit of everything.");
    let expected = SampleServer::new(Inside::new()).descriptor();
    assert_eq!(service.methods.len(), expected.methods.len());
    for (method, expected) in service.methods.iter().zip(expected.methods) {
        assert_eq!((method.name.as_str(), method.doc.as_str()), (expected.name, expected.doc));
        assert_eq!(method.signature, expected.signature.as_str());
        assert_eq!((method.oneway, method.idempotent), (expected.oneway, expected.idempotent));
        let arguments = method.arguments.iter();
        let arguments: Vec<_> = arguments.map(|one| (one.name.as_str(), one.ty.as_str())).collect();
        let wanted: Vec<_> = expected.arguments.iter().map(|one| (one.name, one.ty)).collect();
        assert_eq!((arguments, method.returns.as_str()), (wanted, expected.returns));
    }
    pair.server.shutdown().await.unwrap();
}

/// A type with a schema.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Order {
    /// How many.
    count: u8,
    parts: Vec<Order>,
}

#[rpc_service(name = "orders.of.discovery")]
trait Orders {
    async fn place(&self, order: Vec<u8>, plain: Unknown) -> Result<Point, Unknown>;
    async fn nest(&self, order: Order);
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Point {
    /// To the right.
    x: i32,
    label: Option<String>,
}

/// A type without a schema.
#[derive(Serialize, Deserialize)]
pub(crate) struct Unknown;

struct Taker;

impl Orders for Taker {
    async fn place(&self, _: Vec<u8>, _: Unknown) -> Result<Point, Unknown> {
        Err(Unknown)
    }

    async fn nest(&self, _: Order) {}
}

async fn info_has_the_schemas_of_types(broker: Broker) {
    let server = Server::builder(&broker)
        .service_on(queue(&unique("orders")), OrdersServer::new(Taker))
        .start()
        .await
        .unwrap();
    let info = Discovery::new(&broker).instance(server.instance()).info().await.unwrap();
    let [place, nest] = &info[0].services[0].methods[..] else { panic!("two methods") };
    let bytes = place.arguments[0].schema.as_ref().expect("a list has one");
    assert_eq!((&bytes["type"], &bytes["items"]["type"]), (&json!("array"), &json!("integer")));
    assert_eq!((&place.arguments[1].schema, &place.error_schema), (&None, &None));
    let point = place.result_schema.as_ref().expect("the value has one");
    assert_eq!(point["properties"]["x"]["description"], json!("To the right."));
    assert_eq!(point["required"], json!(["x"]));
    let order = nest.arguments[0].schema.as_ref().expect("what holds itself has one, too");
    assert_eq!(order["properties"]["count"]["maximum"], json!(255));
    server.shutdown().await.unwrap();
}

async fn only_servers_of_the_service_answer(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let (other, _) = pair.another(&broker).await;
    let ours = [pair.server.instance(), other.instance()];
    // Other tests have servers of the same service at the same time.
    let found = async |discovery: &Discovery| {
        let answers = discovery.ping().await.unwrap();
        ours.iter().filter(|id| answers.iter().any(|ping| ping.instance == **id)).count()
    };
    let patient = Discovery::new(&broker).quiet(SOON).timeout(Duration::from_secs(1));
    assert_eq!(found(&patient).await, 2, "all servers are asked");
    assert_eq!(found(&patient.clone().service("Sample")).await, 2, "the service is asked");
    let others = patient.clone().service("Sample.v2");
    assert_eq!(others.ping().await.unwrap(), [], "another service is asked");
    assert_eq!(patient.at_most(1).ping().await.unwrap().len(), 1);
    other.shutdown().await.unwrap();
    pair.server.shutdown().await.unwrap();
}

async fn stats(broker: &Broker, server: &Server) -> InstanceStats {
    let mut stats =
        Discovery::new(broker).instance(server.instance()).timeout(SOON).stats().await.unwrap();
    assert_eq!(stats.len(), 1);
    stats.remove(0)
}

fn method(stats: &InstanceStats, name: &str) -> MethodStats {
    let methods = stats.services[0].methods.iter();
    methods.clone().find(|method| method.name == name).expect("the method is there").clone()
}

async fn stats_have_counts_and_latencies(broker: Broker) {
    let pair = Pair::with(broker.clone(), |server| server.concurrency(1)).await;
    for n in 0..3 {
        pair.client.add(n, n).await.unwrap();
    }
    assert!(pair.client.divide(1, 0).await.is_err());
    assert!(pair.client.explode("!".into()).await.is_err());
    let waiting: Vec<_> = (0..3).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    pair.inside.has_started(5).await;
    let stats = eventually_async("two wait in the queue", SOON, async || {
        let stats = stats(&broker, &pair.server).await;
        (stats.services[0].depth == Some(2)).then_some(stats)
    });
    let stats = stats.await;

    let service = &stats.services[0];
    assert_eq!((service.name.as_str(), &service.queue), ("Sample", &pair.queue));
    assert_eq!(service.consumers, Some(1));
    assert_eq!(service.faults, [("panicked".to_owned(), 1)].into());
    let add = method(&stats, "add");
    assert_eq!((add.calls, add.in_flight, add.errors.len()), (3, 0, 0));
    let latency = add.latency_us.expect("it was measured");
    assert!(latency.p50 <= latency.p99 && latency.p99 <= latency.max, "{latency:?}");
    assert_eq!(method(&stats, "divide").errors, [("error".to_owned(), 1)].into());
    assert_eq!(method(&stats, "explode").errors, [("panicked".to_owned(), 1)].into());
    let wait = method(&stats, "wait");
    assert_eq!((wait.calls, wait.in_flight, wait.latency_us), (1, 1, None));

    pair.inside.gate.add_permits(3);
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    pair.server.shutdown().await.unwrap();
}

async fn a_draining_server_is_not_ready(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let (id, mut health) = (pair.server.instance().to_owned(), pair.server.health());
    assert!(health.is_ready());
    let running = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let ending = tokio::spawn(pair.server.shutdown());
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Draining);
    let discovery = Discovery::new(&broker).instance(&id).timeout(SOON);
    let [ping] = &discovery.ping().await.unwrap()[..] else { panic!("it answers") };
    assert!(!ping.ready);
    pair.inside.gate.add_permits(1);
    running.await.unwrap().unwrap();
    ending.await.unwrap().unwrap();
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Stopped);
    assert!(!health.is_ready());
    let mut further = pin!(health.changed());
    let polled = poll_fn(|context| Poll::Ready(further.as_mut().poll(context).is_pending())).await;
    assert!(polled, "nothing follows");
}

async fn a_server_without_discovery_is_not_found(broker: Broker) {
    let pair = Pair::with(broker.clone(), |server| server.discovery(false)).await;
    let discovery = Discovery::new(&broker).instance(pair.server.instance());
    // Also on a broker that never had a server.
    let asked = Instant::now();
    assert_eq!(discovery.timeout(SOON).ping().await.unwrap(), []);
    assert!(asked.elapsed() < SOON, "nothing is waited for");
    pair.server.shutdown().await.unwrap();
}

async fn an_ended_server_does_not_answer(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let discovery = Discovery::new(&broker).instance(pair.server.instance());
    assert_eq!(discovery.ping().await.unwrap().len(), 1);
    drop(pair);
    eventually_async("its queue is gone", SOON, async || {
        discovery.ping().await.unwrap().is_empty().then_some(())
    })
    .await;
}

async fn health_follows_the_connection(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let mut health = pair.server.health();
    broker.close().await;
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Disconnected);
    assert!(!health.is_ready());
    drop(pair);
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Stopped);
}

#[tokio::test]
async fn a_lost_connection_is_survived() {
    let node = Node::start().await;
    let broker = Broker::connect(&node.url()).await.unwrap();
    let pair = Pair::new(broker.clone()).await;
    let mut health = pair.server.health();
    let discovery = Discovery::new(&broker).instance(pair.server.instance());
    assert_eq!(discovery.ping().await.unwrap().len(), 1);

    node.close_connections().await;
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Disconnected);
    assert_eq!(timeout(SOON, health.changed()).await.unwrap(), HealthStatus::Ready);
    eventually_async("it answers again", SOON, async || {
        let answers = discovery.ping().await.unwrap_or_default();
        answers.first().is_some_and(|ping| ping.ready).then_some(())
    })
    .await;
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_serves_without_discovery_rights() {
    let node = Node::start().await;
    node.add_user("narrow", "secret", ["^sample", "^(sample.*|amq[.]default)$", "^sample"]).await;
    let serving = Broker::connect(&node.url_for("narrow", "secret", "%2f")).await.unwrap();
    let name = unique("sample");
    let server = Server::builder(&serving)
        .service_on(queue(&name), SampleServer::new(Inside::new()))
        .start()
        .await
        .unwrap();
    let broker = Broker::connect(&node.url()).await.unwrap();
    let client = SampleClient::builder(&broker).queue(&name).build();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    assert!(server.health().is_ready());
    let discovery = Discovery::new(&broker).instance(server.instance());
    assert_eq!(discovery.ping().await.unwrap(), []);

    // With the right, discovery works on the next connection.
    let rights = ["set_permissions", "narrow", ".*", ".*", ".*"];
    node.ctl(&rights).await;
    node.close_connections().await;
    eventually_async("it answers", SOON, async || {
        let answers = discovery.ping().await.unwrap_or_default();
        (answers.len() == 1).then_some(())
    })
    .await;
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn asking_without_rights_is_an_error() {
    let node = Node::start().await;
    let broker = Broker::connect(&node.url()).await.unwrap();
    let pair = Pair::new(broker).await;
    node.add_user("deaf", "secret", ["^amq[.]gen", "^amq[.]gen", "^amq[.]gen"]).await;
    let deaf = Broker::connect(&node.url_for("deaf", "secret", "%2f")).await.unwrap();
    let error = Discovery::new(&deaf).ping().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotPermitted, "{error}");
    assert!(error.to_string().contains("rpc.discovery"), "{error}");
    pair.server.shutdown().await.unwrap();
}

/// A discovery request of another program, and its callback queue.
async fn peer() -> (Peer, Message) {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let question = Message {
        exchange: "rpc.discovery".to_owned(),
        correlation_id: Some("any text at all".to_owned()),
        reply_to: Some(callback),
        ..Message::default()
    };
    (peer, question)
}

#[tokio::test]
async fn another_program_can_ask_in_json() {
    let pair = Pair::new(Broker::connect(Rabbit::shared().await.url()).await.unwrap()).await;
    let (peer, question) = peer().await;
    let id = pair.server.instance();
    let number = json!({"type": "integer", "format": "uint32", "minimum": 0, "title": "uint32"});
    for (word, of_service) in [
        ("ping", json!("Sample")),
        (
            "info",
            json!({
                "name": "add", "doc": "", "returns": "u32", "timeout_ms": null, "oneway": false,
                "blocking": false, "cacheable_ms": null, "idempotent": false, "at_most_once": false, "default": false,
                "result_schema": number,
                "arguments": [
                    {"name": "a", "type": "u32", "schema": number},
                    {"name": "b", "type": "u32", "schema": number},
                ],
            }),
        ),
        (
            "stats",
            json!({"name": "add", "calls": 0, "in_flight": 0, "errors": {}, "latency_us": null}),
        ),
    ] {
        let routing_key = format!("{word}.instance.{id}");
        peer.publish(Message { routing_key, ..question.clone() }).await.unwrap();
        let callback = question.reply_to.as_deref().unwrap();
        let answer = peer.get(callback, SOON).await.unwrap().expect("an answer");
        assert_eq!(answer.kind.as_deref(), Some("result"));
        assert_eq!(answer.content_type.as_deref(), Some("application/json"));
        assert_eq!(answer.correlation_id, question.correlation_id);
        let mut answered: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answered["instance"], json!(id));
        let mut service = answered["services"][0].take();
        let mut part = match word {
            "ping" => service,
            _ => service["methods"][0].take(),
        };
        if let Some(method) = part.as_object_mut() {
            method.remove("signature");
        }
        assert_eq!(part, of_service, "{word}");
    }
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn malformed_discovery_requests_are_not_answered() {
    let pair = Pair::new(Broker::connect(Rabbit::shared().await.url()).await.unwrap()).await;
    let (peer, question) = peer().await;
    let id = pair.server.instance();
    let victim = unique("victim");
    peer.declare(QueueSpec::named(&victim).auto_delete().exclusive()).await.unwrap();
    let to =
        |word: &str| Message { routing_key: format!("{word}.instance.{id}"), ..question.clone() };
    let hostile = [
        Message { reply_to: Some(victim.clone()), ..to("ping") },
        Message { reply_to: None, ..to("info") },
        to("weather"),
    ];
    for question in hostile {
        peer.publish(question).await.unwrap();
    }
    // Discovery requests are answered in order: an answer to an earlier one would come before this.
    peer.publish(Message { body: vec![0xff; 100_000], ..to("ping") }).await.unwrap();
    let callback = question.reply_to.as_deref().unwrap();
    let answer = peer.get(callback, SOON).await.unwrap().expect("an answer");
    let answered: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answered["ready"], json!(true));
    assert_eq!(peer.queue(callback).await.unwrap().messages, 0);
    assert_eq!(peer.queue(&victim).await.unwrap().messages, 0);
    pair.server.shutdown().await.unwrap();
}
