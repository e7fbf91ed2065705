//! Text of peers and of the broker in a log cannot forge a line or move the cursor.

use std::{
    env,
    error::Error,
    process::{Command, Stdio},
};

use rpc_runtime::{
    Broker, CallError, Queue, Server, ServerBuilder, discovery::Discovery, is_unseen,
    middleware::Request,
};
use rpc_tests::{Message, Node, Peer, QueueSpec, eventually, unique};
use tower::{BoxError, filter::FilterLayer};

use crate::{
    brokers::{Inside, SOON, SampleClient, SampleServer, queue, refusal},
    logs::Log,
};

const ALONE: &str = "RPC_TEST_LOGS_ALONE";

/// A line break with a forged line, an escape sequence, and characters that hide or reorder others.
const HOSTILE: &str =
    "x\n2000-01-01T00:00:00Z FORGED\r\u{1b}[2J\u{9b}\u{200b}\u{202e}\u{2028}\u{feff}";

/// The same as the name of a queue. RabbitMQ removes line breaks from names.
const NAME: &str = "x\u{1b}[2J\u{9b}\u{200b}\u{202e}\u{2028}\u{feff}";

fn assert_harmless(text: &str) {
    let unseen = |letter: char| letter != '\n' && is_unseen(letter);
    let line = text.lines().find(|line| {
        line.contains(unseen) || line.contains("00Z FORGED") && line.starts_with("2000")
    });
    assert_eq!(line, None, "a line shows a peer's text unescaped");
}

/// Runs in its own process, with a log of its own.
#[tokio::test]
async fn text_of_peers_cannot_forge_log_lines() {
    if env::var(ALONE).is_ok() {
        return look_at_everything().await;
    }
    let this = "log_lines::text_of_peers_cannot_forge_log_lines";
    let program = env::current_exe().unwrap();
    // Its output is not read to the end: the daemons of its node live longer and keep it open.
    let mut command = Command::new(program);
    command.args([this, "--exact", "--nocapture"]).env(ALONE, "1").stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "it says why above");
}

async fn look_at_everything() {
    let node = Node::start().await;
    let log = Log::of_this_process();
    let shown = use_everything(&node, &log).await;
    let log = log.text();
    for expected in [
        "refused a request",
        "did not run a request",
        "a layer failed",
        "dropped a reply that no call is waiting for",
        "dropped answers of servers",
        "the queue cannot be consumed",
        "connection lost",
        "conversation_id=x\\n2000",
        "message.id=x\\n2000",
    ] {
        assert!(log.contains(expected), "{expected:?} was logged");
    }
    assert_harmless(&log);
    assert_harmless(&shown);
}

/// A program under attack, and the texts of its errors.
struct Scene {
    broker: Broker,
    peer: Peer,
    shown: Vec<String>,
}

/// Makes every text chosen by others reach a line, and returns the texts of errors.
async fn use_everything(node: &Node, log: &Log) -> String {
    let broker = Broker::connect(&node.url()).await.unwrap();
    let peer = Peer::connect(&node.url()).await.unwrap();
    let mut scene = Scene { broker, peer, shown: Vec::new() };
    scene.requests().await;
    scene.replies().await;
    let consuming = scene.names().await;
    scene.answers().await;
    let logged = async |line: &str| {
        eventually(line, SOON, || log.text().contains(line).then_some(())).await;
    };
    logged("the queue cannot be consumed").await;
    // The reason given by an administrator, which the broker forwards.
    let reason = r"x\n2000-01-01T00:00:00Z FORGED\r\e[2J";
    let close = format!(
        "[rabbit_networking:close_connection(C, \"{reason}\") || C <- rabbit_networking:connections()], ok."
    );
    node.eval(&close).await;
    logged("connection lost").await;
    let _ = consuming.shutdown().await;
    scene.broker.close().await;
    scene.shown.join("\n")
}

impl Scene {
    fn show(&mut self, error: &dyn Error) {
        self.shown.push(error.to_string());
        self.shown.extend(error.source().map(ToString::to_string));
    }

    /// Sends requests with hostile texts in every property.
    async fn requests(&self) {
        let callback = self.peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
        let (plain, layered) = (unique("plain"), unique("layered"));
        let failing = FilterLayer::new(|_: Request| Err::<Request, _>(BoxError::from("no")));
        let servers = [
            Server::builder(&self.broker)
                .service_on(queue(&plain), SampleServer::new(Inside::new())),
            Server::builder(&self.broker)
                .service_on(queue(&layered), SampleServer::new(Inside::new()))
                .layer(failing),
        ];
        let [plain_server, layered_server] = servers.map(ServerBuilder::start);
        let (plain_server, layered_server) =
            (plain_server.await.unwrap(), layered_server.await.unwrap());

        let hostile = Some(HOSTILE.to_owned());
        let request = Message {
            routing_key: plain.clone(),
            body: b"[1, 2]".to_vec(),
            content_type: Some("application/json".to_owned()),
            kind: Some("add".to_owned()),
            correlation_id: hostile.clone(),
            message_id: hostile.clone(),
            app_id: hostile.clone(),
            reply_to: Some(callback.clone()),
            headers: serde_json::json!({ HOSTILE: HOSTILE }),
            ..Message::default()
        };
        let requests = [
            request.clone(),
            Message { kind: hostile.clone(), ..request.clone() },
            Message { content_type: hostile.clone(), ..request.clone() },
            Message { content_encoding: hostile.clone(), ..request.clone() },
            Message { body: HOSTILE.into(), ..request.clone() },
            Message {
                body: format!("{{\"{}\":1}}", HOSTILE.escape_default()).into(),
                ..request.clone()
            },
            Message { headers: serde_json::json!({"rpc-timeout-ms": HOSTILE}), ..request.clone() },
            Message { headers: serde_json::json!({"rpc-signature": HOSTILE}), ..request.clone() },
            Message { routing_key: layered.clone(), ..request.clone() },
        ];
        for request in &requests {
            self.peer.publish(request.clone()).await.unwrap();
            let reply =
                self.peer.get(&callback, SOON).await.unwrap().expect("every request is answered");
            assert_eq!(reply.correlation_id, hostile, "it is echoed unchanged");
        }
        let elsewhere = unique(NAME);
        self.peer.declare(QueueSpec::named(&elsewhere).exclusive()).await.unwrap();
        // One to a queue whose name is hostile, one to a queue that the server serves itself. Only the first is logged:
        // such lines are limited to one a second.
        for reply_to in [&elsewhere, &plain] {
            let request = Message { reply_to: Some(reply_to.clone()), ..request.clone() };
            self.peer.publish(request).await.unwrap();
        }
        eventually("a request was not run", SOON, || {
            (plain_server.stats().refused_reply_to >= 1).then_some(())
        })
        .await;

        for server in [plain_server, layered_server] {
            server.shutdown().await.unwrap();
        }
    }

    /// The same for replies.
    async fn replies(&mut self) {
        let hostile = Some(HOSTILE.to_owned());
        let spy = unique("spy");
        self.peer.declare(QueueSpec::named(&spy).exclusive()).await.unwrap();
        let call = tokio::spawn(SampleClient::builder(&self.broker).queue(&spy).build().add(1, 2));
        let asked = self.peer.get(&spy, SOON).await.unwrap().expect("the request");
        let reply = Message {
            routing_key: asked.reply_to.unwrap(),
            correlation_id: hostile.clone(),
            kind: Some("fault".to_owned()),
            content_type: hostile.clone(),
            headers: serde_json::json!({"rpc-fault": HOSTILE, "rpc-message": HOSTILE}),
            ..Message::default()
        };
        self.peer.publish(reply.clone()).await.unwrap();
        eventually("it was dropped", SOON, || (self.broker.unclaimed_replies() == 1).then_some(()))
            .await;
        self.peer.publish(Message { correlation_id: asked.correlation_id, ..reply }).await.unwrap();
        self.show(&refusal(call.await.unwrap()));
        for kind in [HOSTILE, "result", "error"] {
            let call =
                tokio::spawn(SampleClient::builder(&self.broker).queue(&spy).build().divide(1, 2));
            let asked = self.peer.get(&spy, SOON).await.unwrap().expect("the request");
            let reply = Message {
                routing_key: asked.reply_to.unwrap(),
                correlation_id: asked.correlation_id,
                kind: Some(kind.to_owned()),
                content_type: hostile.clone(),
                body: HOSTILE.into(),
                ..Message::default()
            };
            self.peer.publish(reply).await.unwrap();
            let error = call.await.unwrap().unwrap_err();
            assert!(!matches!(error, CallError::Application(_)), "{error:?}");
            self.show(&error);
        }
    }

    /// Names that the broker quotes in refusals, and a server whose queue was deleted.
    async fn names(&mut self) -> Server {
        let there = unique(NAME);
        self.peer.declare(QueueSpec::named(&there)).await.unwrap();
        let builder = Server::builder(&self.broker)
            .service_on(Queue::named(&there), SampleServer::new(Inside::new()));
        self.show(&builder.start().await.unwrap_err());
        let nobody = SampleClient::builder(&self.broker).queue(unique(NAME)).build();
        self.show(&nobody.add(1, 2).await.unwrap_err());
        self.peer.delete(&there).await.unwrap();
        let takes_away = unique(NAME);
        let consuming = Server::builder(&self.broker)
            .service_on(queue(&takes_away), SampleServer::new(Inside::new()))
            .start()
            .await
            .unwrap();
        self.peer.delete(&takes_away).await.unwrap();
        self.peer.declare(QueueSpec::named(&takes_away)).await.unwrap();

        consuming
    }

    /// The same for answers of discovery.
    async fn answers(&self) {
        let listener = self.peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
        self.peer.bind(&listener, "rpc.discovery", "#").await.unwrap();
        let asking = {
            let broker = self.broker.clone();
            tokio::spawn(async move {
                let asking =
                    Discovery::new(&broker).service(HOSTILE).timeout(SOON).quiet(SOON).at_most(1);
                (asking.info().await.unwrap(), asking.dropped())
            })
        };
        let question = self.peer.get(&listener, SOON).await.unwrap().expect("the question");
        for body in [
            HOSTILE.to_owned(),
            serde_json::json!({"instance": HOSTILE, "services": HOSTILE}).to_string(),
            serde_json::json!({"instance": HOSTILE, "services": [{"name": HOSTILE}]}).to_string(),
        ] {
            let answer = Message {
                routing_key: question.reply_to.clone().unwrap(),
                correlation_id: question.correlation_id.clone(),
                kind: Some("result".to_owned()),
                body: body.into(),
                ..Message::default()
            };
            self.peer.publish(answer).await.unwrap();
        }
        let (infos, dropped) = asking.await.unwrap();
        assert_eq!((infos.len(), dropped), (1, 2));
    }
}
