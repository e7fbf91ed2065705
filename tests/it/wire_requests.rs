//! The requests that a server reads and the replies that it writes, for each rule of the wire format.

use rpc_runtime::{
    Broker, Dispatch as _, Server, ServerBuilder, discovery::Discovery, rpc_service,
};
use rpc_tests::{Message, Peer, Published, Python, QueueSpec, Rabbit, typed, unique};
use serde_json::{Value, json};

use crate::brokers::{Inside, SOON, SampleServer, queue, rabbitmq};

/// A plain AMQP client and a server of [`Sample`](crate::brokers::Sample).
struct Wire {
    broker: Broker,
    peer: Peer,
    queue: String,
    callback: String,
    inside: Inside,
    server: Server,
}

impl Wire {
    async fn new() -> Self {
        Self::with(|server| server).await
    }

    async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let (broker, name, inside) = (rabbitmq().await, unique("wire"), Inside::new());
        let builder =
            Server::builder(&broker).service_on(queue(&name), SampleServer::new(inside.clone()));
        let server = change(builder).start().await.unwrap();
        let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
        let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
        Self { broker, peer, queue: name, callback, inside, server }
    }

    /// `add(1, 2)` in JSON: the request that the tests vary.
    fn request(&self) -> Message {
        Message {
            kind: Some("add".to_owned()),
            content_type: Some("application/json".to_owned()),
            correlation_id: Some("any bytes: é".to_owned()),
            reply_to: Some(self.callback.clone()),
            ..Message::to(&self.queue, "[1,2]")
        }
    }

    async fn send(&self, request: Message) {
        assert_eq!(self.peer.publish(request).await.unwrap(), Published::Sent);
    }

    /// Sends a request and takes its reply.
    async fn ask(&self, request: Message) -> Message {
        self.send(request).await;
        self.peer.get(&self.callback, SOON).await.unwrap().expect("every request is answered")
    }

    /// The fault word of the reply to a request.
    async fn fault(&self, request: Message) -> String {
        let reply = self.ask(request).await;
        assert_eq!(reply.kind.as_deref(), Some("fault"), "{reply:?}");
        let (word, message) = (reply.header("rpc-fault"), reply.header("rpc-message"));
        let (word, message) = (word.as_str().unwrap(), message.as_str().unwrap());
        // For programs that read only the body.
        let body = match reply.content_type.as_deref() {
            Some("application/json") => {
                json!({ "err": { "fault": word, "message": message } }).to_string()
            }
            Some("text/plain") => format!("fault: {word}: {message}"),
            Some("application/x-bincode") => String::new(),
            other => panic!("{other:?}"),
        };
        assert_eq!(reply.text(), body);
        word.to_owned()
    }

    /// Checks that the server still works, and has acknowledged everything.
    async fn end(self) {
        let reply = self.ask(self.request()).await;
        assert_eq!((reply.kind.as_deref(), reply.text()), (Some("result"), "3".to_owned()));
        self.server.shutdown().await.unwrap();
        assert_eq!(self.peer.queue(&self.queue).await.unwrap().messages, 0);
        drop(self.broker);
    }
}

#[tokio::test]
async fn a_reply_has_every_property_of_the_wire() {
    let wire = Wire::new().await;
    let reply = wire.ask(wire.request()).await;
    assert_eq!(reply.kind.as_deref(), Some("result"));
    assert_eq!(reply.content_type.as_deref(), Some("application/json"));
    assert_eq!(reply.correlation_id.as_deref(), Some("any bytes: é"));
    assert_eq!((reply.exchange.as_str(), reply.routing_key.as_str()), ("", wire.callback.as_str()));
    assert_eq!(reply.delivery_mode, Some(1));
    assert_eq!(reply.text(), "3");
    assert_eq!(reply.headers, Value::Null);

    let divide = |b: &str| Message {
        kind: Some("divide".to_owned()),
        body: format!("[1,{b}]").into_bytes(),
        ..wire.request()
    };
    let reply = wire.ask(divide("0")).await;
    assert_eq!(reply.kind.as_deref(), Some("error"));
    assert_eq!(reply.text(), r#"{"ByZero":{"dividend":1}}"#);
    let reply = wire.ask(divide("1")).await;
    assert_eq!((reply.kind.as_deref(), reply.text()), (Some("result"), "1".to_owned()));
    wire.end().await;
}

#[tokio::test]
async fn the_correlation_or_message_id_is_echoed() {
    let wire = Wire::new().await;
    let message_id = Some("m".to_owned());
    let both = Message { message_id: message_id.clone(), ..wire.request() };
    assert_eq!(wire.ask(both).await.correlation_id, wire.request().correlation_id);
    let one = Message { correlation_id: None, message_id, ..wire.request() };
    assert_eq!(wire.ask(one).await.correlation_id.as_deref(), Some("m"));
    let none = Message { correlation_id: None, ..wire.request() };
    assert_eq!(wire.ask(none).await.correlation_id, None);
    wire.end().await;
}

#[tokio::test]
async fn json_arguments_come_by_position_and_by_name() {
    let wire = Wire::new().await;
    let bodies = [("[1,2]", "3"), (r#"{"b":2,"a":1}"#, "3"), (r#" { "a" : 5 , "b" : 2 } "#, "7")];
    for (body, sum) in bodies {
        let reply = wire.ask(Message { body: body.into(), ..wire.request() }).await;
        assert_eq!(reply.text(), sum, "{body}");
    }
    for body in [
        r#"{"a":1}"#,
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"a":1,"b":2,"b":3}"#,
        "[1]",
        "[1,2,3]",
        r#"[1,"2"]"#,
        "[1,-2]",
        "",
        "null",
        "[1,2",
        "\u{0}",
    ] {
        let request = Message { body: body.into(), ..wire.request() };
        assert_eq!(wire.fault(request).await, "bad-arguments", "{body}");
    }
    for body in ["[]", "{}", "null", ""] {
        let request = Message { kind: Some("seen".into()), body: body.into(), ..wire.request() };
        assert_eq!(wire.ask(request).await.kind.as_deref(), Some("result"), "{body}");
    }
    wire.end().await;
}

#[tokio::test]
async fn bincode_and_text_bodies_are_read() {
    let wire = Wire::new().await;
    let bincode = |kind: &str, body: Vec<u8>| Message {
        kind: Some(kind.to_owned()),
        content_type: Some("application/x-bincode".to_owned()),
        body,
        ..wire.request()
    };
    let reply = wire.ask(bincode("add", vec![1, 251, 0, 1])).await;
    assert_eq!(reply.content_type.as_deref(), Some("application/x-bincode"));
    assert_eq!(reply.body, [251, 1, 1], "257 as a varint");
    assert_eq!(wire.fault(bincode("add", vec![1, 2, 3])).await, "bad-arguments");
    assert_eq!(wire.fault(bincode("add", vec![1])).await, "bad-arguments");
    // A length of 2^56.
    let huge = vec![253, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(wire.fault(bincode("echo", huge)).await, "bad-arguments");
    assert_eq!(wire.ask(bincode("echo", vec![2, 9, 8])).await.body, [2, 9, 8]);

    let text = |kind: &str, body: &str| Message {
        kind: Some(kind.to_owned()),
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        body: body.into(),
        ..wire.request()
    };
    wire.inside.gate.add_permits(1);
    let reply = wire.ask(text("wait", "30")).await;
    assert_eq!((reply.text(), reply.content_type.as_deref()), ("30".into(), Some("text/plain")));
    assert_eq!(wire.fault(text("wait", "thirty")).await, "bad-arguments");
    assert_eq!(wire.fault(text("wait", "")).await, "bad-arguments");
    assert_eq!(wire.fault(text("add", "1")).await, "bad-arguments");
    // The error of a text method is not a scalar, so it is sent as JSON.
    assert_eq!(wire.fault(text("seen", "")).await, "unencodable-reply");
    wire.end().await;
}

#[tokio::test]
async fn unsupported_requests_are_refused_with_their_word() {
    let wire = Wire::new().await;
    let request = || wire.request();
    let with_type = |kind: Option<&str>| Message { kind: kind.map(str::to_owned), ..request() };
    for kind in [Some("subtract"), Some(""), Some("ADD"), Some("add "), None] {
        assert_eq!(wire.fault(with_type(kind)).await, "unknown-method", "{kind:?}");
    }
    for content_type in ["application/xml", "bincode", "text"] {
        let request = Message { content_type: Some(content_type.to_owned()), ..request() };
        assert_eq!(wire.fault(request).await, "unsupported-encoding", "{content_type}");
    }
    for content_encoding in ["gzip", "latin-1"] {
        let request = Message { content_encoding: Some(content_encoding.to_owned()), ..request() };
        assert_eq!(wire.fault(request).await, "unsupported-encoding", "{content_encoding}");
    }
    for content_encoding in ["utf-8", "UTF-8", "utf8", "us-ascii", "binary", "identity"] {
        let request = Message { content_encoding: Some(content_encoding.to_owned()), ..request() };
        assert_eq!(wire.ask(request).await.text(), "3", "{content_encoding}");
    }
    for content_type in ["APPLICATION/json", "application/json; charset=utf-8"] {
        let request = Message { content_type: Some(content_type.to_owned()), ..request() };
        assert_eq!(wire.ask(request).await.text(), "3", "{content_type}");
    }
    wire.end().await;
}

#[tokio::test]
async fn bincode_needs_its_content_type() {
    let wire = Wire::new().await;
    for content_type in [None, Some(""), Some("application/octet-stream")] {
        for (kind, body) in [("add", vec![1, 2]), ("add", "[1,2]".into()), ("seen", vec![])] {
            let request = Message {
                kind: Some(kind.to_owned()),
                content_type: content_type.map(str::to_owned),
                body,
                ..wire.request()
            };
            let reply = wire.ask(request).await;
            assert_eq!(reply.header("rpc-fault"), "unsupported-encoding", "{content_type:?}");
            let text = reply.text();
            assert!(
                text.starts_with("fault: unsupported-encoding: content_type is missing")
                    && text.contains("set it to application/json"),
                "{text}"
            );
            assert_eq!(reply.content_type.as_deref(), Some("text/plain"));
        }
    }
    assert_eq!(wire.inside.started(), 0, "none was run");
    wire.end().await;
}

#[tokio::test]
async fn json_and_text_need_no_content_type() {
    let (broker, json, text) = (rabbitmq().await, unique("json"), unique("text"));
    let server = Server::builder(&broker)
        .service_on(queue(&json), InJsonServer::new(Plain))
        .service_on(queue(&text), SingleServer::new(Plain))
        .start()
        .await
        .unwrap();
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    for content_type in
        [None, Some(""), Some("application/octet-stream"), Some("APPLICATION/octet-stream; a=b")]
    {
        for (queue, answered, bodies) in [
            (
                &json,
                "application/json",
                [("40", "41"), ("x", r#"{"err":{"fault":"bad-arguments","#)],
            ),
            (&text, "text/plain", [("40", "41"), ("x", "fault: bad-arguments: ")]),
        ] {
            for (body, answer) in bodies {
                let request = Message {
                    content_type: content_type.map(str::to_owned),
                    reply_to: Some(callback.clone()),
                    ..Message::to(queue, body)
                };
                peer.publish(request).await.unwrap();
                let reply = peer.get(&callback, SOON).await.unwrap().expect("a reply");
                assert!(reply.text().starts_with(answer), "{content_type:?} {}", reply.text());
                assert_eq!(reply.content_type.as_deref(), Some(answered));
            }
        }
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_json_scalar_is_the_only_argument() {
    let wire = Wire::new().await;
    let bare = |kind: &str, body: &str| Message {
        kind: Some(kind.to_owned()),
        body: body.into(),
        ..wire.request()
    };
    wire.inside.gate.add_permits(2);
    assert_eq!(wire.ask(bare("wait", "30")).await.text(), "30");
    assert_eq!(wire.ask(bare("wait", "[30]")).await.text(), "30");
    assert_eq!(wire.ask(bare("note", r#""abc""#)).await.text(), "null");
    for (kind, body) in [
        ("wait", "true"),
        ("wait", "null"),
        ("wait", r#""30""#),
        ("wait", "30 40"),
        ("wait", ""),
        // An array is the list of arguments; this one has two.
        ("echo", "[1,2]"),
        ("add", "1"),
        ("seen", "1"),
    ] {
        assert_eq!(wire.fault(bare(kind, body)).await, "bad-arguments", "{kind} {body}");
    }
    wire.end().await;
}

#[tokio::test]
async fn ids_come_back_byte_for_byte() {
    let wire = Wire::new().await;
    let url = Rabbit::shared().await.url();
    let caller = Python::find().start("raw_ids.py", &[url, &wire.queue, "add", "[1,2]"]);
    assert_eq!(caller.success(SOON).await, "echoed");
    wire.end().await;
}

#[tokio::test]
async fn the_smaller_of_two_timeouts_counts() {
    let wire = Wire::new().await;
    let left = async |expiration: Option<&str>, headers: Value| {
        let request = Message {
            kind: Some("seen".to_owned()),
            body: "[]".into(),
            expiration: expiration.map(str::to_owned),
            headers,
            ..wire.request()
        };
        let seen: Value = serde_json::from_slice(&wire.ask(request).await.body).unwrap();
        seen["left"]["secs"].as_u64()
    };
    assert_eq!(left(None, Value::Null).await, None);
    assert_eq!(left(Some("60000"), Value::Null).await, Some(59));
    assert_eq!(left(Some("60000"), json!({ "rpc-timeout-ms": 30000 })).await, Some(29));
    assert_eq!(left(Some("20000"), json!({ "rpc-timeout-ms": "30000" })).await, Some(19));
    for kind in ['b', 'B', 's', 'u', 'I', 'i', 'l'] {
        let headers = json!({ "rpc-timeout-ms": typed(kind, 100) });
        assert_eq!(left(None, headers).await, Some(0), "{kind}");
    }
    for value in
        [json!("soon"), typed('d', 1.5), json!(true), json!([1]), json!({}), json!(""), Value::Null]
    {
        let request =
            Message { headers: json!({ "rpc-timeout-ms": value.clone() }), ..wire.request() };
        assert_eq!(wire.fault(request).await, "malformed-request", "{value}");
    }
    for value in [json!(0), json!(-5), json!("-5")] {
        let request =
            Message { headers: json!({ "rpc-timeout-ms": value.clone() }), ..wire.request() };
        assert_eq!(wire.fault(request).await, "expired", "{value}");
    }
    wire.end().await;
}

#[tokio::test]
async fn signatures_are_checked_only_for_bincode() {
    let wire = Wire::new().await;
    let with = |content_type: &str, signature: Value, body: &[u8]| Message {
        content_type: Some(content_type.to_owned()),
        headers: json!({ "rpc-signature": signature }),
        body: body.to_vec(),
        ..wire.request()
    };
    let wrong = json!("0123456789abcdef");
    let bincode = "application/x-bincode";
    assert_eq!(wire.fault(with(bincode, wrong.clone(), &[1, 2])).await, "incompatible");
    assert_eq!(wire.fault(with(bincode, json!(7), &[1, 2])).await, "malformed-request");
    assert_eq!(wire.ask(with("application/json", wrong, b"[1,2]")).await.text(), "3");
    wire.end().await;
}

#[tokio::test]
async fn headers_are_bounded() {
    let wire = Wire::new().await;
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let with = |headers: Value| Message { headers, ..wire.request() };
    assert_eq!(wire.fault(with(json!({ "x": "y".repeat(17_000) }))).await, "malformed-request");
    assert_eq!(wire.fault(with(json!({ "x": nested(40) }))).await, "malformed-request");
    assert_eq!(
        wire.ask(with(json!({ "x": nested(30), "y": "z".repeat(9_000) }))).await.text(),
        "3"
    );
    wire.end().await;
}

#[tokio::test]
async fn a_request_without_reply_to_is_run() {
    let wire = Wire::new().await;
    wire.send(Message { reply_to: None, ..wire.request() }).await;
    wire.inside.has_started(1).await;
    wire.send(Message { reply_to: None, kind: Some("nonsense".to_owned()), ..wire.request() })
        .await;
    // A one-way method is answered if the request has a `reply_to`.
    let note = Message { kind: Some("note".into()), body: r#"["x"]"#.into(), ..wire.request() };
    let reply = wire.ask(note).await;
    assert_eq!((reply.kind.as_deref(), reply.text()), (Some("result"), "null".to_owned()));
    wire.end().await;
}

#[tokio::test]
async fn a_forged_reply_to_is_refused() {
    let wire = Wire::with(|server| server.accept_reply_to("trusted-")).await;
    let victim = unique("victim");
    wire.peer.declare(QueueSpec::named(&victim).classic()).await.unwrap();
    for reply_to in [victim.as_str(), wire.queue.as_str(), ""] {
        wire.send(Message { reply_to: Some(reply_to.to_owned()), ..wire.request() }).await;
    }
    let server = &wire.server;
    rpc_tests::eventually("all were refused", SOON, || {
        (server.stats().refused_reply_to == 3).then_some(())
    })
    .await;
    let asking = Discovery::new(&wire.broker).instance(server.instance()).timeout(SOON);
    let [stats] = &asking.stats().await.unwrap()[..] else { panic!("one server answers") };
    assert_eq!((stats.refused_reply_to, stats.unreadable), (3, 0));
    assert_eq!(wire.inside.started(), 0, "none was run");
    let discovery = Discovery::new(&wire.broker).instance(server.instance()).timeout(SOON);
    assert_eq!(discovery.at_most(1).stats().await.unwrap()[0].refused_reply_to, 3);
    assert_eq!(wire.peer.queue(&victim).await.unwrap().messages, 0);
    wire.peer.delete(&victim).await.unwrap();

    let trusted = unique("trusted-");
    wire.peer.declare(QueueSpec::named(&trusted).exclusive()).await.unwrap();
    wire.send(Message { reply_to: Some(trusted.clone()), ..wire.request() }).await;
    assert_eq!(wire.peer.get(&trusted, SOON).await.unwrap().expect("a reply").text(), "3");
    wire.end().await;
}

#[tokio::test]
async fn only_the_servers_own_queue_is_refused() {
    let wire = Wire::new().await;
    let expires = typed('l', 60_000);
    let names = [
        // Names in the style of kombu, EasyNetQ and Spring.
        "0b1f3f0a-7f3c-4a53-9c0a-6a4d9f5d2f11".to_owned(),
        "easynetq.response.5c3a".to_owned(),
        "spring.gen-7yt3SJ0QTnKqyZ0WgFcVhw".to_owned(),
        "replies é".to_owned(),
    ]
    .map(|name| unique(&name));
    for name in &names {
        let spec = QueueSpec::named(name).classic().argument("x-expires", expires.clone());
        wire.peer.declare(spec).await.unwrap();
    }
    let quorum = unique("quorum-replies");
    wire.peer
        .declare(QueueSpec::named(&quorum).quorum().argument("x-expires", expires))
        .await
        .unwrap();
    for round in ["[1,2]", "[2,3]"] {
        for name in names.iter().chain([&quorum]) {
            let request =
                Message { reply_to: Some(name.clone()), body: round.into(), ..wire.request() };
            wire.send(request).await;
            let reply = wire.peer.get(name, SOON).await.unwrap().expect("a reply");
            let sum = if round == "[1,2]" { "3" } else { "5" };
            assert_eq!(reply.text(), sum, "{name}");
        }
    }
    // The queue does not exist: the request runs, and the lost reply is counted.
    for nobody in [unique("nobody"), String::new()] {
        wire.send(Message { reply_to: Some(nobody), ..wire.request() }).await;
    }
    let server = &wire.server;
    rpc_tests::eventually("replies reach nobody", SOON, || {
        (server.stats().undeliverable == 2).then_some(())
    })
    .await;
    assert_eq!(wire.inside.started(), 12);

    wire.send(Message { reply_to: Some(wire.queue.clone()), ..wire.request() }).await;
    rpc_tests::eventually("its own queue is refused", SOON, || {
        (server.stats().refused_reply_to == 1).then_some(())
    })
    .await;
    assert_eq!(wire.inside.started(), 12, "it was not run");
    for name in names.iter().chain([&quorum]) {
        wire.peer.delete(name).await.unwrap();
    }
    wire.end().await;
}

#[tokio::test]
async fn a_refused_reply_to_is_dead_lettered() {
    let (broker, name, dead) = (rabbitmq().await, unique("strict"), unique("dead"));
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.declare_exchange(&dead, "fanout", false).await.unwrap();
    let graveyard = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    peer.bind(&graveyard, &dead, "").await.unwrap();
    let inside = Inside::new();
    let server = Server::builder(&broker)
        .service_on(queue(&name).dead_letter_exchange(&dead), SampleServer::new(inside.clone()))
        .only_reply_to(&[])
        .start()
        .await
        .unwrap();
    let request = Message {
        kind: Some("add".to_owned()),
        content_type: Some("application/json".to_owned()),
        reply_to: Some("somebody-elses".to_owned()),
        ..Message::to(&name, "[1,2]")
    };
    peer.publish(request).await.unwrap();
    let dead_letter = peer.get(&graveyard, SOON).await.unwrap().expect("the dead letter");
    assert_eq!(dead_letter.reply_to.as_deref(), Some("somebody-elses"));
    assert_eq!((inside.started(), server.stats().refused_reply_to), (0, 1));
    server.shutdown().await.unwrap();
    peer.delete_exchange(&dead).await.unwrap();
}

#[tokio::test]
async fn direct_reply_to_is_answered() {
    let wire = Wire::new().await;
    let replies = wire.peer.consume("amq.rabbitmq.reply-to").await.unwrap();
    let request = Message { reply_to: Some("amq.rabbitmq.reply-to".into()), ..wire.request() };
    wire.send(request).await;
    assert_eq!(wire.peer.next(&replies, SOON).await.unwrap().expect("a reply").text(), "3");
    wire.end().await;
}

#[tokio::test]
async fn panics_and_too_large_replies_are_faults() {
    let wire = Wire::with(|server| server.max_reply(100).max_request(1_000)).await;
    let explode =
        Message { kind: Some("explode".into()), body: r#"["secret"]"#.into(), ..wire.request() };
    let reply = wire.ask(explode).await;
    assert_eq!(reply.header("rpc-fault"), "panicked");
    let text = format!("{} {}", reply.headers, reply.text());
    assert!(!text.contains("secret") && reply.text().contains("panicked"), "{text}");

    let echo = |size: usize| Message {
        kind: Some("echo".to_owned()),
        body: json!([vec![0; size]]).to_string().into_bytes(),
        ..wire.request()
    };
    let reply = wire.ask(echo(200)).await;
    assert_eq!(
        (reply.header("rpc-fault"), reply.header("rpc-ran")),
        (&json!("too-large"), &json!(true))
    );
    let reply = wire.ask(echo(2_000)).await;
    assert_eq!(
        (reply.header("rpc-fault"), reply.header("rpc-ran")),
        (&json!("too-large"), &Value::Null)
    );
    assert!(reply.header("rpc-message").as_str().unwrap().contains("1000"));
    wire.end().await;
}

#[tokio::test]
async fn redelivered_requests_run_unless_at_most_once() {
    let broker = rabbitmq().await;
    let (name, inside) = (unique("redelivered"), Inside::new());
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let expires = typed('l', 60_000);
    peer.declare(QueueSpec::named(&name).classic().argument("x-expires", expires)).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    for kind in ["once", "seen"] {
        let request = Message {
            kind: Some(kind.to_owned()),
            content_type: Some("application/json".to_owned()),
            reply_to: Some(callback.clone()),
            ..Message::to(&name, if kind == "once" { "[1]" } else { "[]" })
        };
        peer.publish(request).await.unwrap();
    }
    let requests = [
        peer.take(&name, SOON).await.unwrap().expect("a request"),
        peer.take(&name, SOON).await.unwrap().expect("a request"),
    ];
    for request in &requests {
        peer.nack(request, true).await.unwrap();
    }
    let server = Server::builder(&broker)
        .service_on(queue(&name), SampleServer::new(inside.clone()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let once = peer.get(&callback, SOON).await.unwrap().expect("an answer");
    assert_eq!(once.header("rpc-fault"), "outcome-unknown");
    let seen = peer.get(&callback, SOON).await.unwrap().expect("an answer");
    assert!(seen.text().contains(r#""redelivered":true"#), "{}", seen.text());
    assert_eq!(inside.started(), 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn redelivered_requests_can_be_dead_lettered() {
    let broker = rabbitmq().await;
    let (name, dead) = (unique("rejected"), unique("dead"));
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    peer.declare_exchange(&dead, "fanout", false).await.unwrap();
    let graveyard = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    peer.bind(&graveyard, &dead, "").await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let buried = queue(&name).dead_letter_exchange(&dead);
    let inside = Inside::new();
    let serve = || {
        let service = SampleServer::new(inside.clone());
        Server::builder(&broker).service_on(buried.clone(), service).reject_redelivered().start()
    };
    let first = serve().await.unwrap();
    let request = Message {
        kind: Some("wait".to_owned()),
        content_type: Some("application/json".to_owned()),
        reply_to: Some(callback.clone()),
        ..Message::to(&name, "[1]")
    };
    peer.publish(request).await.unwrap();
    inside.has_started(1).await;
    drop(first);
    let second = serve().await.unwrap();
    let answer = peer.get(&callback, SOON).await.unwrap().expect("an answer");
    assert_eq!(answer.header("rpc-fault"), "outcome-unknown");
    let dead_letter = peer.get(&graveyard, SOON).await.unwrap().expect("the dead letter");
    assert_eq!(dead_letter.text(), "[1]");
    assert_eq!(inside.started(), 1);
    second.shutdown().await.unwrap();
    peer.delete_exchange(&dead).await.unwrap();
}

#[rpc_service(encoding = "text")]
trait Single {
    async fn only(&self, n: u32) -> u32;
}

#[rpc_service(encoding = "json")]
trait InJson {
    async fn only(&self, n: u32) -> u32;
}

#[rpc_service(encoding = "text")]
trait WithDefault {
    async fn other(&self, n: u32) -> u32;
    #[rpc(default, name = "main-one")]
    async fn main(&self, n: u32) -> u32;
}

struct Plain;

impl Single for Plain {
    async fn only(&self, n: u32) -> u32 {
        n + 1
    }
}

impl InJson for Plain {
    async fn only(&self, n: u32) -> u32 {
        n + 1
    }
}

impl WithDefault for Plain {
    async fn other(&self, n: u32) -> u32 {
        n
    }
    async fn main(&self, n: u32) -> u32 {
        n + 2
    }
}

#[tokio::test]
async fn without_a_method_the_default_is_called() {
    let broker = rabbitmq().await;
    let (single, default) = (unique("single"), unique("default"));
    let server = Server::builder(&broker)
        .service_on(queue(&single), SingleServer::new(Plain))
        .service_on(queue(&default), WithDefaultServer::new(Plain))
        .start()
        .await
        .unwrap();
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    for (queue, kind, answer) in
        [(&single, None, "41"), (&default, None, "42"), (&default, Some("main-one"), "42")]
    {
        let kind = kind.map(str::to_owned);
        let request =
            Message { kind, reply_to: Some(callback.clone()), ..Message::to(queue, "40") };
        peer.publish(request).await.unwrap();
        let reply = peer.get(&callback, SOON).await.unwrap().expect("a reply");
        assert_eq!(
            (reply.text().as_str(), reply.content_type.as_deref()),
            (answer, Some("text/plain"))
        );
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_exchange_takes_methods_from_routing_keys() {
    let url = Rabbit::shared().await.url();
    let exchange = unique("exchange");
    let broker = Broker::builder(url).exchange(&exchange).connect().await.unwrap();
    let (name, inside) = (unique("routed"), Inside::new());
    let server = Server::builder(&broker)
        .service_on(queue(&name), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    let client = crate::brokers::SampleClient::builder(&broker).queue(&name).build();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);

    let peer = Peer::connect(url).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let ask = async |exchange: &str, key: String, kind: Option<&str>| {
        let request = Message {
            exchange: exchange.to_owned(),
            kind: kind.map(str::to_owned),
            content_type: Some("application/json".to_owned()),
            reply_to: Some(callback.clone()),
            ..Message::to(key, "[1,2]")
        };
        peer.publish(request).await.unwrap();
        peer.get(&callback, SOON).await.unwrap().expect("a reply")
    };
    assert_eq!(ask(&exchange, format!("{name}.add"), None).await.text(), "3");
    assert_eq!(ask(&exchange, format!("{name}.add"), Some("add")).await.text(), "3");
    let forged = ask(&exchange, format!("{name}.add"), Some("explode")).await;
    assert_eq!(forged.header("rpc-fault"), "not-permitted");
    let around = ask("", name.clone(), Some("add")).await;
    assert_eq!(around.header("rpc-fault"), "not-permitted");
    let unknown = ask(&exchange, format!("{name}.nonsense"), None).await;
    assert_eq!(unknown.header("rpc-fault"), "unknown-method");

    // Callers behind an exchange may have no right to write to queues, so the server does not reply to any queue for them.
    let request = Message {
        exchange: exchange.clone(),
        content_type: Some("application/json".to_owned()),
        reply_to: Some("somebody-elses".to_owned()),
        ..Message::to(format!("{name}.add"), "[1,2]")
    };
    peer.publish(request).await.unwrap();
    rpc_tests::eventually("it was refused", SOON, || {
        (server.stats().refused_reply_to == 1).then_some(())
    })
    .await;
    server.shutdown().await.unwrap();
    peer.delete_exchange(&exchange).await.unwrap();
}

#[tokio::test]
async fn a_queue_is_declared_durable() {
    let wire = Wire::new().await;
    let alike = QueueSpec::named(&wire.queue)
        .argument("x-queue-type", "classic")
        .argument("x-expires", typed('l', 60_000));
    wire.peer.declare(alike.clone().durable()).await.expect("it is declared just like this");
    assert_eq!(wire.peer.declare(alike).await.unwrap_err().code, Some(406));
    wire.end().await;
}

/// A request of version 0.1, before faults had bodies, and the parts of replies that it read.
#[tokio::test]
async fn an_older_caller_understands_the_replies() {
    let wire = Wire::new().await;
    let id = "0b1f3f0a-7f3c-4a53-9c0a-6a4d9f5d2f11";
    let older = |kind: &str, body: Vec<u8>| Message {
        kind: Some(kind.to_owned()),
        content_type: Some("application/x-bincode".to_owned()),
        correlation_id: Some(id.to_owned()),
        message_id: Some(id.to_owned()),
        expiration: Some("10000".to_owned()),
        delivery_mode: Some(1),
        headers: json!({
            "rpc-timeout-ms": typed('l', 10_000),
            "rpc-sent-ms": typed('l', 1_700_000_000_000i64),
            "rpc-signature": SampleServer::new(Inside::new()).descriptor().method(kind).map_or(
                "0123456789abcdef",
                |method| method.signature.as_str(),
            ),
        }),
        body,
        ..wire.request()
    };
    let result = wire.ask(older("add", vec![1, 2])).await;
    assert_eq!((result.kind.as_deref(), &result.body[..]), (Some("result"), &[3][..]));
    assert_eq!(result.content_type.as_deref(), Some("application/x-bincode"));
    assert_eq!(result.correlation_id.as_deref(), Some(id));
    assert_eq!(result.headers, Value::Null);

    for (fault, word) in [
        (older("add", vec![1]), "bad-arguments"),
        (older("subtract", vec![1, 2]), "unknown-method"),
    ] {
        let fault = wire.ask(fault).await;
        assert_eq!((fault.kind.as_deref(), &fault.body[..]), (Some("fault"), &b""[..]));
        assert_eq!(fault.content_type.as_deref(), Some("application/x-bincode"));
        assert_eq!(fault.header("rpc-fault"), word);
        assert_eq!(fault.header_kinds.values().copied().collect::<String>(), "SS");
    }
    // In JSON a fault now has a body too. The older caller read only its type and headers.
    let older = |body: &str| Message {
        content_type: Some("application/json".to_owned()),
        ..older("add", body.into())
    };
    assert_eq!(wire.ask(older("[1,2]")).await.text(), "3");
    let fault = wire.ask(older("[1]")).await;
    assert_eq!(fault.kind.as_deref(), Some("fault"));
    assert_eq!(fault.header("rpc-fault"), "bad-arguments");
    assert!(fault.header("rpc-message").is_string());
    wire.end().await;
}
