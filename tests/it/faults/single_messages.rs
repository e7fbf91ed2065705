//! No single message can end a connection, and its method runs at most once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    Broker, CallError, FaultKind, Server, ServerBuilder, discovery::Discovery, rpc_service,
};
use rpc_tests::{
    Message, Node, Peer, Python, QueueSpec, Rabbit, Relay, eventually, eventually_async, unique,
};
use tokio::time::timeout;
use tracing::Level;

use super::{nothing_happens_for, relay_to};
use crate::{
    brokers::{
        Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, queue, rabbitmq, refusal,
    },
    logs::Log,
};

/// Recognizable as not created by RabbitMQ.
const FORGED: &str = "amq.rabbitmq.reply-to.AAAA.x";

/// Only RabbitMQ can recognize this as forged. It closes the connection that publishes to it.
const POISON: &str = "amq.rabbitmq.reply-to.gwAA.AAAA";

/// Long enough for a forbidden second run.
const A_MOMENT: Duration = Duration::from_millis(500);

fn json(queue: &str, method: &str, body: &str) -> Message {
    Message {
        kind: Some(method.to_owned()),
        content_type: Some("application/json".to_owned()),
        correlation_id: Some("of-the-peer".to_owned()),
        ..Message::to(queue, body)
    }
}

/// A server with a call in flight, and a peer. A lost connection would end that call or run it again.
struct Watched {
    pair: Pair,
    peer: Peer,
    patient: tokio::task::JoinHandle<Result<u32, CallError>>,
    relay: Relay,
}

impl Watched {
    async fn on(url: &str, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let (relay, through) = relay_to(url).await;
        let pair = Pair::with(Broker::connect(&through).await.unwrap(), change).await;
        let peer = Peer::connect(url).await.unwrap();
        let patient = tokio::spawn(pair.client.wait(7).timeout(3 * SOON));
        pair.inside.has_started(1).await;
        Self { pair, peer, patient, relay }
    }

    async fn new() -> Self {
        Self::on(Rabbit::shared().await.url(), |server| server).await
    }

    async fn send(&self, message: Message) {
        self.peer.publish(message).await.unwrap();
    }

    /// Asserts that all messages are handled, and that so many methods have run since the start.
    async fn unharmed(self, runs: u32) {
        let Self { pair, peer, patient, relay } = self;
        let inside = pair.inside.clone();
        nothing_happens_for(A_MOMENT, || inside.started() > 1 + runs).await;
        assert_eq!(timeout(SOON, pair.client.add(1, 2)).await.unwrap().unwrap(), 3);
        assert_eq!(pair.inside.started(), 2 + runs, "each method ran once");
        pair.inside.gate.add_permits(1);
        assert_eq!(patient.await.unwrap().unwrap(), 7);
        let state = pair.broker.queue_state(&pair.queue).await.unwrap().unwrap();
        assert_eq!((state.messages, state.consumers), (0, 1));
        // Everything is acknowledged.
        let (broker, name) = (pair.broker.clone(), pair.queue.clone());
        pair.server.shutdown().await.unwrap();
        assert_eq!(broker.queue_state(&name).await.unwrap().unwrap().messages, 0);
        // Until here all messages go through it.
        drop((peer, relay));
    }
}

/// Row 31.
#[tokio::test]
async fn a_forged_direct_reply_to_is_rejected() {
    let (warnings, _guard) = Log::gather(Level::WARN);
    let watched = Watched::new().await;
    for method in ["add", "once", "again"] {
        let message = json(&watched.pair.queue, method, "[1, 2]");
        watched.send(Message { reply_to: Some(FORGED.to_owned()), ..message }).await;
    }
    let server = &watched.pair.server;
    eventually("all are refused", SOON, || (server.stats().refused_reply_to == 3).then_some(()))
        .await;
    warnings.line(&[&watched.pair.queue, FORGED]).await;
    assert_eq!(watched.relay.accepted(), 1, "no other connection was needed");
    watched.unharmed(0).await;
}

/// Row 31.
#[tokio::test]
async fn a_forged_direct_reply_to_is_dead_lettered() {
    let (broker, name, dead) = (rabbitmq().await, unique("forged"), unique("dead"));
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.declare_exchange(&dead, "fanout", false).await.unwrap();
    let graveyard = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    peer.bind(&graveyard, &dead, "").await.unwrap();
    let service = SampleServer::new(Inside::new());
    let server = Server::builder(&broker)
        .service_on(queue(&name).dead_letter_exchange(&dead), service)
        .start()
        .await
        .unwrap();
    let message = json(&name, "add", "[1, 2]");
    peer.publish(Message { reply_to: Some(FORGED.to_owned()), ..message }).await.unwrap();
    assert_eq!(
        peer.get(&graveyard, SOON).await.unwrap().expect("the dead letter").text(),
        "[1, 2]"
    );
    server.shutdown().await.unwrap();
    peer.delete_exchange(&dead).await.unwrap();
}

/// Row 31: the reply closes a connection that nothing else uses.
#[tokio::test]
async fn a_poisonous_direct_reply_to_ends_nothing() {
    let (warnings, _guard) = Log::gather(Level::WARN);
    let watched = Watched::new().await;
    for method in ["add", "add", "seen", "divide", "nothing"] {
        let body = if method == "seen" { "[]" } else { "[4, 2]" };
        let message = json(&watched.pair.queue, method, body);
        watched.send(Message { reply_to: Some(POISON.to_owned()), ..message }).await;
    }
    let server = &watched.pair.server;
    eventually("all are given up", SOON, || (server.stats().undeliverable == 5).then_some(()))
        .await;
    warnings.line(&[&watched.pair.queue, POISON, "of-the-peer", "INTERNAL_ERROR"]).await;
    watched.unharmed(2).await;
}

/// Row 31: refusals are sent with the same care as replies.
#[tokio::test]
async fn refusals_to_poisonous_reply_to_end_nothing() {
    let url = Rabbit::shared().await.url();
    for reject in [false, true] {
        let (broker, name, inside) = (rabbitmq().await, unique("refused"), Inside::new());
        let serve = || {
            let service = SampleServer::new(inside.clone());
            let server = Server::builder(&broker).service_on(queue(&name), service);
            if reject { server.reject_redelivered().start() } else { server.start() }
        };
        // Declares the queue.
        serve().await.unwrap().shutdown().await.unwrap();
        let peer = Peer::connect(url).await.unwrap();
        for _ in 0..3 {
            let message = json(&name, "once", "[1]");
            peer.publish(Message { reply_to: Some(POISON.to_owned()), ..message }).await.unwrap();
            peer.take(&name, SOON).await.unwrap().expect("it is there");
        }
        // So that they arrive as redelivered.
        peer.close().await.unwrap();
        let server = serve().await.unwrap();
        let given_up = || (server.stats().undeliverable == 3).then_some(());
        eventually("all are given up", SOON, given_up).await;
        let client = SampleClient::builder(&broker).queue(&name).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        nothing_happens_for(A_MOMENT, || server.stats().requests > 4).await;
        assert_eq!(inside.started(), 1, "none was run");
        server.shutdown().await.unwrap();
        assert_eq!(broker.queue_state(&name).await.unwrap().unwrap().messages, 0);
    }
}

/// Row 31: every server gets discovery requests.
#[tokio::test]
async fn discovery_survives_a_poisonous_reply_to() {
    let watched = Watched::new().await;
    for reply_to in [FORGED, POISON] {
        for question in ["ping", "info", "stats"] {
            let question = Message {
                exchange: "rpc.discovery".to_owned(),
                reply_to: Some(reply_to.to_owned()),
                correlation_id: Some("of-the-peer".to_owned()),
                kind: Some(question.to_owned()),
                ..Message::to(question, "")
            };
            watched.send(question).await;
        }
    }
    let answers = || async {
        let found = Discovery::new(&watched.pair.broker).ping().await.unwrap();
        (!found.is_empty()).then_some(())
    };
    eventually_async("questions are answered", SOON, answers).await;
    watched.unharmed(0).await;
}

/// Row 31: other callers with direct reply-to get their replies meanwhile.
#[tokio::test]
async fn direct_reply_callers_survive_a_poisonous_one() {
    let watched = Watched::new().await;
    let url = Rabbit::shared().await.url();
    let callers = Broker::builder(url).direct_reply_to(true).connect().await.unwrap();
    let client = SampleClient::builder(&callers).queue(&watched.pair.queue).build();
    let mut runs = 0;
    for n in 0..5 {
        let message = json(&watched.pair.queue, "add", "[1, 2]");
        watched.send(Message { reply_to: Some(POISON.to_owned()), ..message }).await;
        let calls: Vec<_> =
            (0..20).map(|m| tokio::spawn(client.add(n, m).timeout(2 * SOON))).collect();
        for (m, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), n + m);
        }
        runs += 21;
    }
    watched.unharmed(runs).await;
}

/// Row 32.
#[tokio::test]
async fn a_reply_too_large_for_rabbitmq_is_refused() {
    let (warnings, _guard) = Log::gather(Level::WARN);
    let node = Node::builder().config("max_message_size = 65536").start().await;
    let large = LargeReplies::start(&node.url()).await;
    let watched = Watched::on(&node.url(), |server| server).await;
    for size in [100_000, 70_000, 65_536, 65_537] {
        let neighbours: Vec<_> =
            (0..20).map(|n| tokio::spawn(watched.pair.client.add(n, 1))).collect();
        let ended = large.client.letters(size).await;
        if size == 65_536 {
            assert_eq!(ended.unwrap().len(), 65_536);
        } else {
            let fault = refusal(ended);
            assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::TooLarge, true));
        }
        for (n, call) in (0..).zip(neighbours) {
            assert_eq!(call.await.unwrap().unwrap(), n + 1);
        }
    }
    warnings.line(&[&large.queue, "65536", "correlation_id"]).await;
    assert_eq!(large.runs(), 4, "each ran once");
    large.server.shutdown().await.unwrap();
    watched.unharmed(80).await;
}

/// Row 32, to a caller with direct reply-to.
#[tokio::test]
async fn a_too_large_direct_reply_is_refused() {
    let node = Node::builder().config("max_message_size = 65536").start().await;
    let large = LargeReplies::start(&node.url()).await;
    let callers = Broker::builder(&node.url()).direct_reply_to(true).connect().await.unwrap();
    let client = LargeClient::builder(&callers).queue(&large.queue).build();
    for _ in 0..3 {
        let fault = refusal(client.letters(100_000).await);
        assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::TooLarge, true));
        assert_eq!(client.letters(100).await.unwrap().len(), 100);
    }
    assert_eq!(large.runs(), 6, "each ran once");
    large.server.shutdown().await.unwrap();
}

/// Row 32: neither at the start nor later.
#[tokio::test]
async fn without_reply_permission_each_method_runs_once() {
    let (warnings, _guard) = Log::gather(Level::WARN);
    let node = Node::start().await;
    let name = unique("mute");
    node.add_user("mute", "secret", [".*", "^(mute.*|rpc[.]discovery|amq[.]gen.*)$", ".*"]).await;
    let serving = Broker::connect(&node.url_for("mute", "secret", "%2f")).await.unwrap();
    let inside = Inside::new();
    let server = Server::builder(&serving)
        .service_on(queue(&name), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    let calling = Broker::connect(&node.url()).await.unwrap();
    let client = SampleClient::builder(&calling).queue(&name).build();
    let silent = || client.add(1, 2).timeout(Duration::from_secs(2));
    assert_ended!(silent().await, Err(CallError::DeadlineExceeded { may_have_run: true }));
    warnings.line(&[&name, "amq.default", "correlation_id"]).await;
    assert_eq!(inside.started(), 1);
    let state = calling.queue_state(&name).await.unwrap().unwrap();
    assert_eq!((state.messages, state.consumers), (0, 1));

    node.ctl(&["set_permissions", "mute", ".*", ".*", ".*"]).await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3, "it may now");
    node.ctl(&["set_permissions", "mute", ".*", "^mute.*$", ".*"]).await;
    // RabbitMQ caches permissions for a channel; after a pause it checks them again.
    nothing_happens_for(Duration::from_secs(3), || inside.started() > 2).await;
    assert_ended!(silent().await, Err(CallError::DeadlineExceeded { may_have_run: true }));
    assert_eq!(inside.started(), 3, "it ran once more, and not twice");
    assert_eq!(server.stats().undeliverable, 2);
    server.shutdown().await.unwrap();
}

/// Row 31: RabbitMQ adds headers to dead letters, and delivers them in a frame over the negotiated size.
#[tokio::test]
async fn large_headers_affect_only_their_request() {
    let watched = Watched::new().await;
    let name = watched.pair.queue.clone();
    let detour = QueueSpec::named("")
        .exclusive()
        .argument("x-dead-letter-exchange", "")
        .argument("x-dead-letter-routing-key", name.as_str())
        .argument("x-message-ttl", 0);
    let detour = watched.peer.declare(detour).await.unwrap().name;
    let callback = watched.peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let headers = serde_json::json!({ "x": "A".repeat(130_900) });
    for method in ["add", "once"] {
        let message = json(&detour, method, "[1, 2]");
        watched
            .send(Message { headers: headers.clone(), reply_to: Some(callback.clone()), ..message })
            .await;
        let reply = watched.peer.get(&callback, SOON).await.unwrap().expect("an answer");
        assert_eq!(reply.header("rpc-fault"), "malformed-request");
    }
    watched.unharmed(0).await;
}

/// Row 31, with a smaller negotiated size, and for replies.
#[tokio::test]
async fn headers_over_frame_max_keep_the_connection() {
    let url = format!("{}?frame_max=8192", Rabbit::shared().await.url());
    let watched = Watched::on(&url, |server| server).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let headers = serde_json::json!({ "x": "A".repeat(9_000) });
    let message = json(&watched.pair.queue, "add", "[1, 2]");
    peer.publish(Message { headers: headers.clone(), ..message }).await.unwrap();
    watched.pair.inside.has_started(2).await;

    let spy = unique("spy");
    peer.declare(QueueSpec::named(&spy).classic()).await.unwrap();
    let call =
        tokio::spawn(SampleClient::builder(&watched.pair.broker).queue(&spy).build().add(1, 2));
    let request = peer.get(&spy, SOON).await.unwrap().expect("the request");
    let unknown = Message { headers, ..json(&request.reply_to.unwrap(), "result", "3") };
    peer.publish(unknown).await.unwrap();
    let broker = &watched.pair.broker;
    eventually("it is dropped", SOON, || (broker.unclaimed_replies() == 1).then_some(())).await;
    call.abort();
    peer.delete(&spy).await.unwrap();
    watched.unharmed(1).await;
}

/// Row 31: such headers are not stored.
#[tokio::test]
async fn headers_of_megabytes_are_rejected_unread() {
    let (warnings, _guard) = Log::gather(Level::WARN);
    let node = Node::builder().config("frame_max = 8388608").start().await;
    let watched = Watched::on(&node.url(), |server| server).await;
    let url = node.url();
    let send = async |queue: &str, bodies: &[&str]| {
        let arguments = [&[url.as_str(), queue, "2000000", "8388608"], bodies].concat();
        let sender = Python::find().start("large_headers.py", &arguments);
        assert_eq!(sender.success(SOON).await, "sent");
    };
    let large = " ".repeat(100_000);
    send(&watched.pair.queue, &["", "[1, 2]", &large]).await;
    let server = &watched.pair.server;
    eventually("all are rejected", SOON, || (server.stats().unreadable == 3).then_some(())).await;
    warnings.line(&[&watched.pair.queue, "headers are too large"]).await;

    let spy = unique("spy");
    watched.peer.declare(QueueSpec::named(&spy).classic()).await.unwrap();
    let client = SampleClient::builder(&watched.pair.broker).queue(&spy).build();
    let call = tokio::spawn(client.add(1, 2));
    let request = watched.peer.get(&spy, SOON).await.unwrap().expect("the request");
    send(&request.reply_to.unwrap(), &["3"]).await;
    let broker = &watched.pair.broker;
    eventually("it is dropped", SOON, || (broker.unclaimed_replies() == 1).then_some(())).await;
    call.abort();
    watched.unharmed(0).await;
}

/// Row 31: only the size of a too large body is stored.
#[tokio::test]
async fn a_refusal_names_the_requests_size() {
    let url = Rabbit::shared().await.url();
    let watched = Watched::on(url, |server| server.max_request(1_500_000)).await;
    let callback = watched.peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    for (size, known) in [(2_000_000, true), (1_499_000, false)] {
        let message = json(&watched.pair.queue, "add", &format!("[1, {}2]", " ".repeat(size)));
        watched.send(Message { reply_to: Some(callback.clone()), ..message }).await;
        let reply = watched.peer.get(&callback, SOON).await.unwrap().expect("an answer");
        if known {
            assert_eq!(reply.header("rpc-fault"), "too-large");
            assert!(reply.headers.to_string().contains("2000006 bytes"), "{}", reply.headers);
        } else {
            assert_eq!(reply.text(), "3");
        }
    }
    watched.unharmed(1).await;
}

/// Replies of any size.
#[rpc_service(encoding = "text")]
trait Large {
    async fn letters(&self, size: usize) -> String;
}

struct Letters(Arc<AtomicU32>);

impl Large for Letters {
    async fn letters(&self, size: usize) -> String {
        self.0.fetch_add(1, Ordering::SeqCst);
        "x".repeat(size)
    }
}

struct LargeReplies {
    queue: String,
    runs: Arc<AtomicU32>,
    client: LargeClient,
    server: Server,
}

impl LargeReplies {
    async fn start(url: &str) -> Self {
        let (broker, name) = (Broker::connect(url).await.unwrap(), unique("large"));
        let runs = Arc::<AtomicU32>::default();
        let service = LargeServer::new(Letters(runs.clone()));
        let server =
            Server::builder(&broker).service_on(queue(&name), service).start().await.unwrap();
        let client = LargeClient::builder(&broker).queue(&name).build();
        Self { queue: name, runs, client, server }
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}
