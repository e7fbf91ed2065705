//! Forged answers of discovery: RabbitMQ does not authenticate who answers.

use std::time::Duration;

use rpc_runtime::Server;
use rpc_tests::{Message, Peer, QueueSpec, unique};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::sample::{CalculatorServer, Exact, Place};

const ERROR: i32 = 1;
const NO_SERVER: i32 = 3;
const SOON: Duration = Duration::from_secs(10);

/// Answers every discovery request with the same body until it is dropped.
struct Forger(JoinHandle<()>);

impl Forger {
    async fn start(place: &Place, body: impl Into<Vec<u8>>) -> Self {
        let (body, peer) = (body.into(), Peer::connect(&place.url).await.unwrap());
        peer.declare_exchange("rpc.discovery", "topic", true).await.unwrap();
        let queue = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
        peer.bind(&queue, "rpc.discovery", "#").await.unwrap();
        let consumer = peer.consume(&queue).await.unwrap();
        Self(tokio::spawn(async move {
            loop {
                let Some(question) = peer.next(&consumer, SOON).await.unwrap() else { continue };
                let answer = Message {
                    routing_key: question.reply_to.unwrap_or_default(),
                    correlation_id: question.correlation_id,
                    content_type: Some("application/json".to_owned()),
                    kind: Some("result".to_owned()),
                    body: body.clone(),
                    ..Message::default()
                };
                peer.publish(answer).await.unwrap();
            }
        }))
    }
}

impl Drop for Forger {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A discovery answer that names this queue for the calculator.
fn claim(queue: &str) -> String {
    let method = json!({"name": "add", "timeout_ms": u64::MAX});
    let service = json!({"name": "Calculator", "queue": queue, "methods": [method]});
    json!({"instance": "f0f0f0f0f0", "host": "elsewhere", "services": [service]}).to_string()
}

/// A queue of an attacker.
async fn trap(place: &Place) -> (Peer, String) {
    let (peer, name) = (Peer::connect(&place.url).await.unwrap(), unique("trap"));
    peer.declare(QueueSpec::named(&name)).await.unwrap();
    (peer, name)
}

#[tokio::test]
async fn nothing_is_sent_if_answers_differ() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let (peer, queue) = trap(&place).await;
    let _forger = Forger::start(&place, claim(&queue)).await;
    for command in ["call", "bench"] {
        let ended = place.rpc(&[command, "Calculator.add", "1", "2"]).await;
        let stderr = ended.failed(ERROR);
        assert!(stderr.contains("do not agree on its queue"), "{stderr}");
        assert!(stderr.contains(&queue) && stderr.contains("\"Calculator\" ("), "{stderr}");
        assert!(
            stderr.contains("f0f0f0f0 on \"elsewhere\"") && stderr.contains("--queue"),
            "{stderr}"
        );
    }
    assert_eq!(peer.queue(&queue).await.unwrap().messages, 0);
    let chosen = ["call", "Calculator.add", "1", "2", "--queue", "Calculator"];
    assert_eq!(place.rpc(&chosen).await.printed(), "3");
    let info = place.rpc(&["info", "Calculator"]).await;
    assert!(info.printed().contains("f0f0f0f0 on \"elsewhere\""), "{info:?}");
    let doc = place.rpc(&["doc", "Calculator"]).await;
    assert!(doc.stderr.contains("warning: its servers differ in the queue"), "{doc:?}");
    assert_eq!(doc.code, 0);
}

#[tokio::test]
async fn nothing_is_sent_beside_the_default_queue() {
    let place = Place::new().await;
    let server = Server::builder(&place.broker)
        .service(CalculatorServer::new(Exact))
        .discovery(false)
        .start()
        .await
        .unwrap();
    let (peer, queue) = trap(&place).await;
    let consumer = peer.consume(&queue).await.unwrap();
    let _forger = Forger::start(&place, claim(&queue)).await;
    let ended = place.rpc(&["call", "Calculator.add", "1", "2"]).await;
    let stderr = ended.failed(ERROR);
    assert!(stderr.contains("others consume the queue \"Calculator\""), "{stderr}");
    let caught = peer.next(&consumer, Duration::from_millis(200)).await.unwrap();
    assert_eq!(caught, None);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_to_a_queue_without_consumers() {
    let place = Place::new().await;
    let (peer, queue) = trap(&place).await;
    let _forger = Forger::start(&place, claim(&queue)).await;
    let ended = place.rpc(&["call", "Calculator.add", "1", "2"]).await;
    assert!(ended.failed(NO_SERVER).contains("nobody consumes the queue"), "{ended:?}");
    assert_eq!(peer.queue(&queue).await.unwrap().messages, 0);
}

#[tokio::test]
async fn unreadable_answers_are_reported() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let _forger = Forger::start(&place, "\u{1b}[2J").await;
    for command in [&["ls"][..], &["ping"], &["stats"], &["info", "Calculator"]] {
        let ended = place.rpc(command).await;
        assert!(ended.stderr.starts_with("warning: 1 answers were dropped"), "{ended:?}");
        assert!(ended.code == 0 && ended.stdout.contains("Calculator"), "{ended:?}");
    }
    let ended = place.rpc(&["call", "Calculator.add", "1", "2"]).await;
    assert!(ended.failed(ERROR).contains("could not be read"), "{ended:?}");
}

/// Line breaks that forge lines, escape sequences, characters without a width, and changes of direction.
const HOSTILE: &str =
    "a\nb\u{1b}[2J\u{9b}\u{200b}\u{202e}\u{2066}\u{2028}\u{feff}\u{e0041}\r\u{7f}";

#[tokio::test]
async fn invisible_characters_of_answers_are_escaped() {
    let place = Place::new().await;
    let largest = u64::MAX;
    let method = json!({
        "name": HOSTILE, "doc": HOSTILE, "returns": HOSTILE, "signature": HOSTILE,
        "arguments": [{"name": HOSTILE, "type": HOSTILE}],
        "timeout_ms": largest, "cacheable_ms": largest,
        "calls": largest, "in_flight": largest, "errors": {HOSTILE: largest, "b": largest},
        "latency_us": {"mean": largest, "p50": largest, "p90": largest, "p99": largest, "max": largest},
    });
    let service = json!({
        "name": "S", "queue": HOSTILE, "exchange": HOSTILE, "encoding": HOSTILE, "doc": HOSTILE,
        "version": u32::MAX, "timeout_ms": largest, "methods": [method],
    });
    let info = json!({
        "instance": HOSTILE, "host": HOSTILE, "runtime": HOSTILE, "process": u32::MAX,
        "started_ms": largest, "uptime_ms": largest, "services": [service],
    });
    let lines = async |command: &[&str], answer: &Value| {
        let _forger = Forger::start(&place, answer.to_string()).await;
        let ended = place.rpc(command).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        let unseen = |letter: char| letter != '\n' && rpc_runtime::is_unseen(letter);
        assert!(!ended.stdout.contains(unseen), "{ended:?}");
        ended.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&["ls"], &info).await.len(), 2);
    let shown = lines(&["info", "S"], &info).await;
    // Documentation keeps its line breaks, but stays indented.
    let forged: Vec<_> = shown.iter().filter(|line| line.starts_with('b')).collect();
    assert!(
        forged.is_empty() && shown.iter().any(|line| line.starts_with("  b\\u{1b}")),
        "{shown:?}"
    );
    lines(&["doc", "S"], &info).await;
    let document = lines(&["doc", "S", "--format", "asyncapi"], &info).await.join("\n");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["info"]["description"], json!(HOSTILE), "it is the same value");
    assert_eq!(lines(&["stats", "S"], &info).await.len(), 2);
    let ping = json!({"instance": HOSTILE, "host": HOSTILE, "services": [HOSTILE], "ready": true});
    assert_eq!(lines(&["ping"], &ping).await.len(), 2);
    let _forger = Forger::start(&place, info.to_string()).await;
    let failed = place.rpc(&["call", "S.other", "1", "--wait", "1s"]).await;
    assert_eq!(failed.stderr.lines().count(), 2, "{failed:?}");
}
