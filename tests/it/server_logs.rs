//! The log lines of a server at INFO and WARN, as in the table of docs/observation.md.

use std::{thread, time::Duration};

use rpc_runtime::{Broker, Encoding, Server, ServerBuilder, UntypedClient, rpc_service};
use rpc_tests::{Message, Peer, Rabbit, eventually, eventually_async, unique};
use tower::{BoxError, filter::FilterLayer};
use tracing::Level;

use crate::{
    brokers::{Pair, SOON, on_both_brokers, queue, rabbitmq, refusal},
    logs::Log,
};

const PAYLOAD: &str = "payload-nobody-else-reads";

/// Longer than a handler may hold a thread without a warning.
const LONG: Duration = Duration::from_millis(1_100);

mod here {
    use super::*;

    #[rpc_service(name = "Shelf", encoding = "json")]
    pub(super) trait Shelf {
        async fn explode(&self, text: String);
        #[rpc(blocking)]
        fn explode_blocking(&self, text: String);
        async fn read(&self, text: String, page: u32) -> u32;
        async fn hold(&self, text: String);
        async fn hold_later(&self, text: String);
        #[rpc(blocking)]
        fn hold_blocking(&self, text: String);
        async fn half(&self, text: String) -> f64;
    }
}

mod there {
    use super::*;

    #[rpc_service(name = "Shelf")]
    pub(super) trait Shelf {
        async fn read(&self, text: String, page: u64) -> u64;
    }
}

#[derive(Clone)]
struct Oak;

impl here::Shelf for Oak {
    async fn explode(&self, text: String) {
        panic!("{text}");
    }

    fn explode_blocking(&self, text: String) {
        panic!("{text}");
    }

    async fn read(&self, _text: String, page: u32) -> u32 {
        page
    }

    async fn hold(&self, _text: String) {
        thread::sleep(LONG);
    }

    async fn hold_later(&self, _text: String) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        thread::sleep(LONG);
    }

    fn hold_blocking(&self, _text: String) {
        thread::sleep(LONG);
    }

    async fn half(&self, _text: String) -> f64 {
        f64::NAN
    }
}

/// A server of the shelf, and its log.
struct Watched {
    broker: Broker,
    queue: String,
    server: Server,
    client: here::ShelfClient,
}

impl Watched {
    async fn new(broker: Broker, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let name = unique("shelf");
        let builder =
            Server::builder(&broker).service_on(queue(&name), here::ShelfServer::new(Oak));
        let server = change(builder).start().await.unwrap();
        let client = here::ShelfClient::builder(&broker).queue(&name).build();
        Self { broker, queue: name, server, client }
    }
}

/// The only line with these words; no line contains the payload.
fn only_line(log: &Log, words: &[&str]) -> String {
    let lines = log.lines(words);
    assert_eq!(lines.len(), 1, "{words:?} in {}", log.text());
    assert_eq!(log.lines(&[PAYLOAD]), [""; 0], "no line shows a payload");
    lines[0].clone()
}

/// The only warning with these words; it names the request.
fn warned_of(log: &Log, method: &str, words: &str) -> String {
    let about = ["WARN", "service=\"Shelf\"", &format!("method=\"{method}\""), words];
    let line = only_line(log, &about);
    assert!(line.contains(" correlation_id=") && line.contains("left_out=0"), "{line}");
    line
}

on_both_brokers! {
    a_server_logs_its_start_and_shutdown;
    a_closed_broker_is_the_logged_reason;
    a_dropped_server_warns_and_explains;
    requests_that_fail_are_logged_without_payload;
    a_layers_error_is_logged_at_debug;
    forbidden_requests_are_logged;
    mistakes_of_callers_are_logged;
    a_reply_that_is_too_large_is_logged;
    a_handler_that_holds_its_thread_is_named;
    two_services_on_one_queue_are_both_named;
    replicas_of_one_service_cause_no_warning;
}

async fn a_server_logs_its_start_and_shutdown(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder).await;
    let instance = format!("instance=\"{}\"", watched.server.instance());
    let queue = format!("queue=\"{}\"", watched.queue);
    let about = ["INFO", "service=\"Shelf\"", &queue, &instance];
    only_line(&log, &[&about[..], &[" serves "]].concat());
    watched.server.shutdown().await.unwrap();
    let stopped = [" stopped ", "reason=\"it was shut down\""];
    only_line(&log, &[&about[..], &stopped].concat());
    assert_eq!(log.lines(&["WARN"]), [""; 0]);
}

async fn a_closed_broker_is_the_logged_reason(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder).await;
    watched.broker.close().await;
    log.line(&[" stopped "]).await;
    let queue = format!("queue=\"{}\"", watched.queue);
    only_line(&log, &["INFO", "service=\"Shelf\"", &queue, "reason=\"the broker was closed\""]);
    drop(watched.server);
    assert_eq!(log.lines(&["WARN"]), [""; 0], "nothing is restarted, and the drop is no surprise");
}

async fn a_dropped_server_warns_and_explains(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder).await;
    let (instance, queue) = (watched.server.instance().to_owned(), watched.queue);
    drop(watched.server);
    let words = ["WARN", "services=\"Shelf\"", &instance, &queue, "let _ = ", "`shutdown`"];
    only_line(&log, &words);
    assert_eq!(log.lines(&[" stopped "]), [""; 0], "one line is enough");
}

async fn requests_that_fail_are_logged_without_payload(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let failing = FilterLayer::new(|request: rpc_runtime::middleware::Request| {
        let text = String::from_utf8_lossy(request.body()).into_owned();
        if text.contains("layer") { Err(BoxError::from(text)) } else { Ok(request) }
    });
    let watched = Watched::new(broker, |builder| builder.layer(failing)).await;
    let Watched { broker, queue, client, .. } = &watched;
    let text = || PAYLOAD.to_owned();

    client.explode(text()).await.unwrap_err();
    warned_of(&log, "explode", "a handler panicked");

    let untyped = UntypedClient::new(broker, queue);
    refusal(untyped.call("read", format!("[\"{PAYLOAD}\", \"x\"]")).await);
    warned_of(&log, "read", "its arguments cannot be read");

    let other = there::ShelfClient::builder(broker).queue(queue).encoding(Encoding::Bincode);
    refusal(other.build().read(text(), 1).await);
    warned_of(&log, "read", "its caller has other arguments");

    client.half(text()).await.unwrap_err();
    warned_of(&log, "half", "its result cannot be written");

    client.read(format!("layer {PAYLOAD}"), 1).await.unwrap_err();
    warned_of(&log, "read", "a layer failed");

    watched.server.shutdown().await.unwrap();
}

async fn a_layers_error_is_logged_at_debug(broker: Broker) {
    let (log, _guard) = Log::gather(Level::DEBUG);
    let failing = FilterLayer::new(|_: rpc_runtime::middleware::Request| {
        Err::<rpc_runtime::middleware::Request, _>(BoxError::from("the disk\nis full"))
    });
    let watched = Watched::new(broker, |builder| builder.layer(failing)).await;
    watched.client.read(PAYLOAD.to_owned(), 1).await.unwrap_err();
    warned_of(&log, "read", "a layer failed; its error is logged at DEBUG");
    only_line(&log, &["DEBUG", "a layer failed", r"the disk\nis full", "correlation_id="]);
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn lines_that_were_left_out_are_counted() {
    let (log, _guard) = Log::gather(Level::WARN);
    let watched = Watched::new(Broker::in_memory(), |builder| builder).await;
    let panics = ["a handler panicked"];
    for _ in 0..5 {
        watched.client.explode_blocking(PAYLOAD.to_owned()).await.unwrap_err();
    }
    let first = log.lines(&panics).len();
    eventually_async("the next second has a line of its own", SOON, async || {
        watched.client.explode(PAYLOAD.to_owned()).await.unwrap_err();
        (log.lines(&panics).len() > first).then_some(())
    })
    .await;
    let lines = log.lines(&panics);
    let counted = |line: &String| {
        let (_, after) = line.split_once("left_out=").unwrap();
        after.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let reported = lines.len() as u64 + lines.iter().map(counted).sum::<u64>();
    assert_eq!(reported, watched.server.stats().panics, "each is a line or counted in one");
    watched.server.shutdown().await.unwrap();
}

async fn forbidden_requests_are_logged(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| {
        builder.authorize(|context| match context.header("explode") {
            Some(_) => panic!("{PAYLOAD}"),
            None => Err(PAYLOAD.to_owned()),
        })
    })
    .await;
    refusal(watched.client.read(PAYLOAD.to_owned(), 1).await);
    warned_of(&log, "read", "it is not permitted, and it does not say which user sent it");
    refusal(watched.client.read(PAYLOAD.to_owned(), 1).header("explode", "yes").await);
    warned_of(&log, "read", "`authorize` panicked");
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_forbidden_users_name_is_logged() {
    let (log, _guard) = Log::gather(Level::INFO);
    let broker = Broker::in_memory();
    let watched = Watched::new(broker, |builder| builder.authorize(|_| Err("no".to_owned()))).await;
    let ada = watched.broker.as_user("ada").unwrap();
    let client = here::ShelfClient::builder(&ada).queue(&watched.queue).build();
    refusal(client.read(PAYLOAD.to_owned(), 1).await);
    let line = warned_of(&log, "read", "it is not permitted");
    assert!(line.contains("caller=ada") && !line.contains("does not say which user"), "{line}");
    watched.server.shutdown().await.unwrap();
}

async fn mistakes_of_callers_are_logged(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder.max_request(40)).await;
    let Watched { broker, queue, .. } = &watched;
    let untyped = UntypedClient::new(broker, queue);

    refusal(untyped.call(PAYLOAD, "[]").await);
    warned_of(&log, "_OTHER", "there is no such method");

    refusal(untyped.call("read", format!("[\"{}\", 1]", PAYLOAD.repeat(2))).await);
    warned_of(&log, "read", "it is larger than `max_request`");

    watched.server.shutdown().await.unwrap();
}

async fn a_reply_that_is_too_large_is_logged(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder.max_reply(3)).await;
    refusal(watched.client.read(PAYLOAD.to_owned(), 12_345).await);
    warned_of(&log, "read", "its reply is larger than `max_reply`");
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn malformed_requests_are_logged() {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(rabbitmq().await, |builder| builder).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let request = || Message {
        kind: Some("read".to_owned()),
        correlation_id: Some("7".to_owned()),
        ..Message::to(&watched.queue, PAYLOAD)
    };
    let xml = Message { content_type: Some("application/xml".to_owned()), ..request() };
    peer.publish(xml).await.unwrap();
    log.line(&["its encoding is not supported"]).await;
    warned_of(&log, "read", "its encoding is not supported");
    let headers = serde_json::json!({"rpc-timeout-ms": "soon"});
    let json = Some("application/json".to_owned());
    peer.publish(Message { headers, content_type: json, ..request() }).await.unwrap();
    log.line(&["malformed"]).await;
    warned_of(&log, "read", "its properties or headers are malformed");
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_lost_consumer_is_logged_with_reason() {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(rabbitmq().await, |builder| builder).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.delete(&watched.queue).await.unwrap();
    let line = log.line(&["WARN", "stopped consuming; starting again"]).await;
    let reason = "reason=RabbitMQ cancelled the consumer, as it does when the queue is deleted";
    assert!(line.contains(reason), "{line}");
    watched.server.shutdown().await.unwrap();
}

async fn a_handler_that_holds_its_thread_is_named(broker: Broker) {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(broker, |builder| builder).await;
    let text = || PAYLOAD.to_owned();
    watched.client.hold_blocking(text()).await.unwrap();
    assert_eq!(log.lines(&["held a thread"]), [""; 0], "it has a thread of its own");
    watched.client.hold(text()).await.unwrap();
    let line = warned_of(&log, "hold", "held a thread of the runtime");
    assert!(line.contains("#[rpc(blocking)]") && line.contains("held_ms=1"), "{line}");
    // Two requests at once: the second held no thread while it waited for the first.
    let (held, read) =
        tokio::join!(watched.client.hold_later(text()), watched.client.read(text(), 1));
    held.unwrap();
    read.unwrap();
    warned_of(&log, "hold_later", "held a thread of the runtime");
    assert_eq!(log.lines(&["held a thread", "method=\"read\""]), [""; 0]);
    watched.server.shutdown().await.unwrap();
}

#[rpc_service]
trait Cupboard {
    async fn open(&self);
}

impl Cupboard for Oak {
    async fn open(&self) {}
}

async fn two_services_on_one_queue_are_both_named(broker: Broker) {
    let (log, _guard) = Log::gather(Level::DEBUG);
    let watched = Watched::new(broker, |builder| builder).await;
    // By then the first has looked and found no other.
    log.line(&["nobody else consumes the queue"]).await;
    let second = Server::builder(&watched.broker)
        .service_on(queue(&watched.queue), CupboardServer::new(Oak))
        .start()
        .await
        .unwrap();
    let words = ["WARN", "another service is served on the same queue"];
    let line = log.line(&words).await;
    let instance = watched.server.instance();
    for part in ["service=\"Cupboard\"", "other_service=Shelf", &watched.queue, instance] {
        assert!(line.contains(part), "{line}");
    }
    only_line(&log, &words);
    second.shutdown().await.unwrap();
    watched.server.shutdown().await.unwrap();
}

async fn replicas_of_one_service_cause_no_warning(broker: Broker) {
    let (log, _guard) = Log::gather(Level::DEBUG);
    let pair = Pair::new(broker.clone()).await;
    let (other, _) = pair.another(&broker).await;
    log.line(&["asked who else consumes the queue"]).await;
    assert_eq!(log.lines(&["WARN"]), [""; 0]);
    other.shutdown().await.unwrap();
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_failed_start_is_no_drop() {
    let broker = rabbitmq().await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let occupied = unique("taken");
    peer.declare(rpc_tests::QueueSpec::named(&occupied).quorum()).await.unwrap();
    let (log, _guard) = Log::gather(Level::INFO);
    let shelf = unique("shelf");
    let refused = Server::builder(&broker)
        .service_on(queue(&shelf), here::ShelfServer::new(Oak))
        .service_on(rpc_runtime::Queue::named(&occupied), CupboardServer::new(Oak))
        .start()
        .await;
    refused.unwrap_err();
    only_line(&log, &["INFO", &shelf, "stopped", "it did not start wholly"]);
    assert_eq!(log.lines(&["Cupboard"]), [""; 0], "it never served");
    assert_eq!(log.lines(&["WARN"]), [""; 0], "the error says it");
    peer.delete(&occupied).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_that_is_dropped_warns() {
    let (log, _guard) = Log::gather(Level::INFO);
    let pair = Pair::new(Broker::in_memory()).await;
    let call = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let stopping = pair.server.shutdown();
    assert!(tokio::time::timeout(Duration::from_millis(10), stopping).await.is_err());
    only_line(&log, &["WARN", "services=\"Sample\"", "was dropped and not shut down"]);
    call.abort();
}

#[tokio::test]
async fn a_brokers_own_server_ends_with_it() {
    let (log, _guard) = Log::gather(Level::INFO);
    let client = CupboardClient::new(&Broker::serving(CupboardServer::new(Oak)));
    client.open().await.unwrap();
    drop(client);
    only_line(&log, &["INFO", "service=\"Cupboard\"", "stopped", "its broker was dropped"]);
    assert_eq!(log.lines(&["WARN"]), [""; 0]);
}

/// Sends a request with this `reply_to` from a plain program, and waits until it is refused.
async fn refuse(watched: &Watched, reply_to: &str) {
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let request = Message {
        kind: Some("read".to_owned()),
        content_type: Some("application/json".to_owned()),
        correlation_id: Some("of-this-request".to_owned()),
        reply_to: Some(reply_to.to_owned()),
        ..Message::to(&watched.queue, format!("[\"{PAYLOAD}\", 1]"))
    };
    peer.publish(request).await.unwrap();
    eventually("it was refused", SOON, || {
        (watched.server.stats().refused_reply_to == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_refused_reply_to_is_logged() {
    let (log, _guard) = Log::gather(Level::INFO);
    let open = Watched::new(rabbitmq().await, |builder| builder).await;
    refuse(&open, &open.queue).await;
    let line = warned_of(&log, "read", "its reply_to is a queue that this server serves");
    let reply_to = format!("reply_to={}", open.queue);
    assert!(line.contains("correlation_id=of-this-request") && line.contains(&reply_to), "{line}");

    let strict = Watched::new(rabbitmq().await, |builder| builder.only_reply_to(&[])).await;
    refuse(&strict, "somebody-elses").await;
    let line = warned_of(&log, "read", "this server does not answer to its reply_to");
    for part in ["correlation_id=of-this-request", "reply_to=somebody-elses", "`only_reply_to`"] {
        assert!(line.contains(part), "{line}");
    }
    for watched in [open, strict] {
        watched.server.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_discovery_reply_to_is_checked() {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(rabbitmq().await, |builder| builder).await;
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let question = Message {
        exchange: "rpc.discovery".to_owned(),
        reply_to: Some("somebody-elses".to_owned()),
        ..Message::to(format!("ping.instance.{}", watched.server.instance()), PAYLOAD)
    };
    peer.publish(question).await.unwrap();
    let words = ["WARN", "did not answer a question", "its reply_to is no callback queue"];
    let line = log.line(&words).await;
    assert!(line.contains("reply_to=somebody-elses") && line.contains("left_out=0"), "{line}");
    only_line(&log, &words);
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_deleted_queue_is_logged_and_served_again() {
    let (log, _guard) = Log::gather(Level::INFO);
    let watched = Watched::new(rabbitmq().await, |builder| builder).await;
    let about = ["service=\"Shelf\"", &format!("queue=\"{}\"", watched.queue)];
    Peer::connect(Rabbit::shared().await.url())
        .await
        .unwrap()
        .delete(&watched.queue)
        .await
        .unwrap();
    log.line(&["WARN", "stopped consuming; starting again"]).await;
    let serves = [&about[..], &["INFO", " serves "]].concat();
    eventually("it serves again", SOON, || (log.lines(&serves).len() == 2).then_some(())).await;
    only_line(&log, &[&about[..], &["WARN"]].concat());
    watched.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_queue_that_cannot_be_consumed_is_logged() {
    let (log, _guard) = Log::gather(Level::INFO);
    let (broker, name) = (rabbitmq().await, unique("taken"));
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.declare(rpc_tests::QueueSpec::named(&name).durable().classic()).await.unwrap();
    let service = CupboardServer::new(Oak);
    let server = Server::builder(&broker)
        .service_on(rpc_runtime::Queue::named(&name).passive(), service)
        .start()
        .await
        .unwrap();
    peer.delete(&name).await.unwrap();
    let words = ["WARN", "service=\"Cupboard\"", "the queue cannot be consumed", "NOT_FOUND"];
    log.line(&words).await;
    assert!(only_line(&log, &words).contains(&format!("queue=\"{name}\"")));
    server.shutdown().await.unwrap();
}
