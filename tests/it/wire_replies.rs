//! The requests that a client writes and the replies that it reads, for each rule of the wire format.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rpc_runtime::{CallError, Encoding, FaultKind, MethodDescriptor};
use rpc_tests::{Message, Peer, QueueSpec, Rabbit, typed, unique};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::brokers::{Inside, SOON, SampleClient, SampleServer, assert_ended, rabbitmq, refusal};

/// A client of [`Sample`](crate::brokers::Sample), and a plain AMQP program as its server.
struct Wire {
    peer: Peer,
    queue: String,
    client: SampleClient,
}

type Ended<T, E> = JoinHandle<Result<T, CallError<E>>>;

impl Wire {
    async fn new(encoding: Encoding) -> Self {
        let broker = rabbitmq().await;
        let queue = unique("wire");
        let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
        let expires = typed('l', 60_000);
        let declared = QueueSpec::named(&queue).classic().argument("x-expires", expires);
        peer.declare(declared).await.unwrap();
        let client = SampleClient::builder(&broker).queue(&queue).encoding(encoding).build();
        Self { peer, queue, client }
    }

    async fn request(&self) -> Message {
        self.peer.get(&self.queue, SOON).await.unwrap().expect("a request")
    }

    /// Takes the next request and sends this reply.
    async fn answer(&self, reply: Message) {
        let request = self.request().await;
        self.peer
            .publish(Message {
                routing_key: request.reply_to.expect("a callback queue"),
                correlation_id: request.correlation_id,
                ..reply
            })
            .await
            .unwrap();
    }

    fn divide(&self) -> Ended<i64, crate::brokers::DivisionError> {
        tokio::spawn(self.client.divide(7, 2))
    }
}

fn method(name: &str) -> &'static MethodDescriptor {
    use rpc_runtime::Dispatch;
    SampleServer::new(Inside::new()).descriptor().method(name).unwrap()
}

fn is_uuid_v4(text: &str) -> bool {
    let hyphens = text.char_indices().filter(|(_, c)| *c == '-').map(|(at, _)| at);
    text.len() == 36
        && hyphens.eq([8, 13, 18, 23])
        && text.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c))
        && &text[14..15] == "4"
}

#[tokio::test]
async fn a_request_has_every_property_of_the_wire() {
    let wire = Wire::new(Encoding::Bincode).await;
    let call = wire.client.add(1, 257).timeout(Duration::from_secs(5)).header("tenant", "a");
    let call = tokio::spawn(call);
    let request = wire.request().await;
    assert_eq!(request.kind.as_deref(), Some("add"));
    assert_eq!(request.content_type.as_deref(), Some("application/x-bincode"));
    assert_eq!(request.content_encoding, None);
    assert_eq!(request.delivery_mode, Some(1));
    assert_eq!(request.body, [1, 251, 1, 1]);
    assert_eq!(
        (request.exchange.as_str(), request.routing_key.as_str()),
        ("", wire.queue.as_str())
    );
    assert!(request.reply_to.as_deref().unwrap().starts_with("amq.gen-"));
    let (correlation, message) =
        (request.correlation_id.as_deref().unwrap(), request.message_id.as_deref().unwrap());
    assert!(is_uuid_v4(correlation) && is_uuid_v4(message), "{correlation} {message}");
    assert_eq!(correlation, message, "the first sending goes by the id of the call");
    let expiration: i64 = request.expiration.as_deref().unwrap().parse().unwrap();
    assert!((4_000..=5_000).contains(&expiration), "{expiration}");
    let sent = request.header("rpc-sent-ms").as_i64().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert!(i64::try_from(now).unwrap().abs_diff(sent) < 10_000, "{sent} {now}");
    assert_eq!(
        request.headers,
        json!({
            "rpc-timeout-ms": expiration,
            "rpc-sent-ms": sent,
            "rpc-signature": method("add").signature.as_str(),
            "tenant": "a",
        })
    );
    assert_eq!(
        ["rpc-timeout-ms", "rpc-sent-ms", "tenant"].map(|name| request.header_kinds[name]),
        // Some clients do not support integers of 64 bits.
        ['I', 'l', 'S']
    );
    let signature = method("add").signature.as_str();
    assert!(signature.len() == 16 && signature.chars().all(|c| c.is_ascii_hexdigit()));
    call.abort();
}

#[tokio::test]
async fn a_large_timeout_uses_64_bits() {
    let wire = Wire::new(Encoding::Json).await;
    for (seconds, kind) in [(2_000_000, 'I'), (3_000_000, 'l')] {
        let call = tokio::spawn(wire.client.add(1, 2).timeout(Duration::from_secs(seconds)));
        let request = wire.request().await;
        assert_eq!(request.header_kinds["rpc-timeout-ms"], kind, "{seconds}");
        let expiration: u64 = request.expiration.as_deref().unwrap().parse().unwrap();
        assert_eq!(request.header("rpc-timeout-ms").as_u64(), Some(expiration));
        call.abort();
    }
}

#[tokio::test]
async fn json_and_text_requests_carry_no_signature() {
    let wire = Wire::new(Encoding::Json).await;
    let call = tokio::spawn(wire.client.add(1, 2));
    let request = wire.request().await;
    assert_eq!(request.content_type.as_deref(), Some("application/json"));
    assert_eq!(request.text(), "[1,2]");
    assert_eq!(request.header("rpc-signature"), &Value::Null);
    call.abort();
    let call = tokio::spawn(wire.client.seen());
    assert_eq!(wire.request().await.text(), "[]");
    call.abort();

    let wire = Wire::new(Encoding::Text).await;
    let call = tokio::spawn(wire.client.wait(30));
    let request = wire.request().await;
    assert_eq!(
        (request.text(), request.content_type.as_deref()),
        ("30".into(), Some("text/plain"))
    );
    assert_eq!(request.header("rpc-signature"), &Value::Null);
    call.abort();
}

#[tokio::test]
async fn a_oneway_request_expects_no_reply() {
    let wire = Wire::new(Encoding::Bincode).await;
    wire.client.note("x".into()).await.unwrap();
    let request = wire.request().await;
    assert_eq!((&request.reply_to, &request.expiration), (&None, &None));
    assert_eq!(request.header("rpc-timeout-ms"), &Value::Null);
    assert!(request.header("rpc-sent-ms").is_i64());
    assert!(is_uuid_v4(request.correlation_id.as_deref().unwrap()));

    wire.client.add(1, 2).timeout(Duration::from_secs(3)).send().await.unwrap();
    let request = wire.request().await;
    assert_eq!(request.reply_to, None);
    assert!(request.expiration.is_some());
}

#[tokio::test]
async fn persistence_and_priority_are_sent_if_set() {
    let wire = Wire::new(Encoding::Bincode).await;
    wire.client.note("x".into()).persistent().priority(4).await.unwrap();
    let request = wire.request().await;
    assert_eq!((request.delivery_mode, request.priority), (Some(2), Some(4)));
}

#[tokio::test]
async fn a_plain_reply_is_a_result() {
    let wire = Wire::new(Encoding::Json).await;
    let call = wire.divide();
    wire.answer(Message { body: "3".into(), ..Message::default() }).await;
    assert_eq!(call.await.unwrap().unwrap(), 3);

    // The default of some libraries.
    let octets = Some("Application/octet-stream; a=b".to_owned());
    let call = wire.divide();
    wire.answer(Message { body: "3".into(), content_type: octets, ..Message::default() }).await;
    assert_eq!(call.await.unwrap().unwrap(), 3);

    let call = wire.divide();
    let bincode = Some("application/x-bincode".to_owned());
    let kind = Some("result".to_owned());
    wire.answer(Message { body: vec![6], content_type: bincode, kind, ..Message::default() }).await;
    assert_eq!(call.await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn undecodable_replies_are_explained() {
    let wire = Wire::new(Encoding::Json).await;
    let replies = [
        (Some("result"), None, "three"),
        (Some("result"), None, ""),
        (None, None, "{}"),
        (Some("error"), None, "3"),
        (Some("maybe"), None, "3"),
        (None, Some("application/xml"), "3"),
    ];
    for (kind, content_type, body) in replies {
        let call = wire.divide();
        let reply = Message {
            kind: kind.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            body: body.into(),
            ..Message::default()
        };
        wire.answer(reply).await;
        let ended = call.await.unwrap();
        assert_ended!(ended, Err(error @ CallError::Decode(_)) if error.may_have_run());
    }
    // A method without an error type cannot return one.
    let call = tokio::spawn(wire.client.add(1, 2));
    let kind = Some("error".to_owned());
    wire.answer(Message { kind, body: "3".into(), ..Message::default() }).await;
    assert_ended!(call.await.unwrap(), Err(CallError::Decode(_)));
}

#[tokio::test]
async fn every_fault_word_is_understood() {
    let wire = Wire::new(Encoding::Json).await;
    let fault = |word: &str, more: Value| {
        let mut headers = json!({ "rpc-fault": word, "rpc-message": "because" });
        headers.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        Message { kind: Some("fault".to_owned()), headers, ..Message::default() }
    };
    let rows = [
        ("unknown-method", FaultKind::UnknownMethod, false, false),
        ("bad-arguments", FaultKind::BadArguments, false, false),
        ("unsupported-encoding", FaultKind::UnsupportedEncoding, false, false),
        ("malformed-request", FaultKind::MalformedRequest, false, false),
        ("incompatible", FaultKind::Incompatible, false, false),
        ("too-large", FaultKind::TooLarge, false, false),
        ("overloaded", FaultKind::Overloaded, false, true),
        ("shutting-down", FaultKind::ShuttingDown, false, true),
        ("not-permitted", FaultKind::NotPermitted, false, false),
        ("outcome-unknown", FaultKind::OutcomeUnknown, true, false),
        ("unencodable-reply", FaultKind::UnencodableReply, true, false),
        ("internal", FaultKind::Internal, true, false),
        ("made-up", FaultKind::Unrecognized, true, false),
        ("", FaultKind::Unrecognized, true, false),
    ];
    for (word, kind, ran, retry) in rows {
        let call = wire.divide();
        wire.answer(fault(word, Value::Null)).await;
        let got = refusal(call.await.unwrap());
        assert_eq!((got.kind(), got.word(), got.message()), (kind, word, "because"));
        assert_eq!((got.may_have_run(), got.is_retryable()), (ran, retry), "{word}");
    }

    // The body is for other clients; an older server sends none.
    for body in ["", r#"{"err":{"fault":"internal","message":"x"}}"#, "3", "\u{0}"] {
        let call = wire.divide();
        let content_type = Some("application/json".to_owned());
        let reply = Message { body: body.into(), content_type, ..fault("overloaded", Value::Null) };
        wire.answer(reply).await;
        let got = refusal(call.await.unwrap());
        assert_eq!((got.word(), got.message()), ("overloaded", "because"), "{body:?}");
    }

    let call = wire.divide();
    wire.answer(fault("too-large", json!({ "rpc-ran": true }))).await;
    assert!(refusal(call.await.unwrap()).may_have_run());
    let call = wire.divide();
    wire.answer(fault("panicked", Value::Null)).await;
    assert_ended!(call.await.unwrap(), Err(CallError::Panicked));
    let call = wire.divide();
    wire.answer(fault("expired", Value::Null)).await;
    assert_ended!(call.await.unwrap(), Err(CallError::DeadlineExceeded { may_have_run: false }));
}

#[tokio::test]
async fn unexpected_replies_are_dropped_and_counted() {
    let wire = Wire::new(Encoding::Json).await;
    let broker = rabbitmq().await;
    let client = SampleClient::builder(&broker).queue(&wire.queue).encoding(Encoding::Json).build();
    let call = tokio::spawn(client.divide(7, 2));
    let request = wire.request().await;
    let (callback, id) = (request.reply_to.unwrap(), request.correlation_id.unwrap());
    let reply = |id: Option<&str>, body: &str| Message {
        correlation_id: id.map(str::to_owned),
        ..Message::to(&callback, body)
    };
    let other = "0b1f3f0a-7f3c-4a53-9c0a-6a4d9f5d2f11";
    for forged in [None, Some(""), Some("1"), Some(other), Some(id.to_uppercase().as_str())] {
        wire.peer.publish(reply(forged, "666")).await.unwrap();
    }
    wire.peer.publish(reply(Some(&id), "3")).await.unwrap();
    wire.peer.publish(reply(Some(&id), "666")).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), 3);
    rpc_tests::eventually("all others were counted", SOON, || {
        (broker.unclaimed_replies() == 6).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_resent_call_keeps_its_message_id() {
    let wire = Wire::new(Encoding::Json).await;
    let call = tokio::spawn(wire.client.divide(7, 2).idempotent());
    let first = wire.request().await;
    let callback = first.reply_to.unwrap();
    let answer = |id: &Option<String>, reply| Message {
        routing_key: callback.clone(),
        correlation_id: id.clone(),
        ..reply
    };
    let overloaded = Message {
        kind: Some("fault".to_owned()),
        headers: json!({ "rpc-fault": "overloaded" }),
        ..Message::default()
    };
    wire.peer.publish(answer(&first.correlation_id, overloaded)).await.unwrap();

    let second = wire.request().await;
    assert_eq!(second.message_id, first.message_id);
    assert_ne!(second.correlation_id, first.correlation_id);
    // The first attempt has ended, so its id is not valid any more.
    let reply = |body: &str| Message::to(&callback, body);
    wire.peer.publish(answer(&first.correlation_id, reply("666"))).await.unwrap();
    wire.peer.publish(answer(&second.correlation_id, reply("3"))).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), 3);
}
