use std::{cell::RefCell, sync::Mutex};

use super::*;
use crate::{
    message::{HeaderValue, Id, Properties},
    rpc_service,
    transport::BoxFuture,
};

thread_local! {
    /// The correlation id that a handler saw last.
    static SEEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

#[rpc_service]
trait Payments {
    #[rpc(at_most_once)]
    async fn pay(&self);
    async fn balance(&self) -> u32;
}

struct Bank;

impl Payments for Bank {
    async fn pay(&self) {}
    async fn balance(&self) -> u32 {
        let context = Context::current();
        SEEN.set(context.and_then(|context| context.correlation_id().map(str::to_owned)));
        7
    }
}

/// Writes down what is said to it.
#[derive(Default)]
pub(in crate::server) struct Recorder {
    said: Mutex<Vec<String>>,
    /// The header `rpc-ran` of each reply.
    ran: Mutex<Vec<Option<HeaderValue>>>,
}

impl Recorder {
    pub(in crate::server) fn say(&self, what: String) {
        self.said.lock().unwrap().push(what);
    }

    pub(in crate::server) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl WorkerChannel for Recorder {
    fn finish(&self, tag: u64, reply: Option<Message>) {
        let ran = reply.as_ref().and_then(|reply| reply.properties.header("rpc-ran").cloned());
        self.ran.lock().unwrap().push(ran);
        let word = reply.map(|reply| match reply.properties.header("rpc-fault") {
            Some(HeaderValue::Text(word)) => word.to_string(),
            _ => reply.properties.kind.unwrap_or_default().to_string(),
        });
        self.say(format!("{tag} finished with {word:?}"));
    }

    fn requeue(&self, tag: u64) {
        self.say(format!("{tag} given back"));
    }

    fn reject(&self, tag: u64, _: Option<Message>) {
        self.say(format!("{tag} rejected"));
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.say("stopped".to_owned());
        Box::pin(async {})
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.say("closed".to_owned());
        Box::pin(async {})
    }
}

pub(in crate::server) fn endpoint() -> Endpoint {
    endpoint_behind("")
}

fn endpoint_behind(exchange: &str) -> Endpoint {
    endpoint_with(exchange, Some(vec!["own-".to_owned()]))
}

fn endpoint_with(exchange: &str, reply_to_prefixes: Option<Vec<String>>) -> Endpoint {
    let queues = ["Payments".to_owned(), "own-served".to_owned()];
    let queues = Queues { own: "Payments".to_owned(), all: queues.into() };
    let limits = Limits {
        max_request: 100,
        max_reply: 100,
        reply_to_prefixes,
        reject_redelivered: false,
        admission: Admission::default(),
        waits: Waits::default(),
    };
    Endpoint::new(
        &PaymentsServer::new(Bank),
        None,
        Arc::new(limits),
        queues,
        exchange.into(),
        watch::Sender::new(Phase::Serving).subscribe(),
        Arc::default(),
    )
}

pub(in crate::server) fn request(
    method: &str,
    reply_to: Option<&str>,
    redelivered: bool,
) -> Delivery {
    let properties = Properties {
        kind: Some(method.into()),
        content_type: Some("application/x-bincode".into()),
        reply_to: reply_to.map(Into::into),
        ..Properties::default()
    };
    let message = Message { routing_key: "Payments".into(), properties, ..Message::default() };
    Delivery { tag: 1, redelivered, message: message.into() }
}

#[test]
fn what_was_not_started_goes_back_unless_it_must_not_look_as_if_it_had_been() {
    let callback = Some("amq.gen-x");
    for (delivery, said) in [
        (request("balance", callback, false), "1 given back"),
        (request("pay", callback, false), "1 finished with Some(\"shutting-down\")"),
        // Nobody to tell, or taken for run already: the next server decides.
        (request("pay", None, false), "1 given back"),
        (request("pay", callback, true), "1 given back"),
        (request("pay", Some("somebody-elses"), false), "1 given back"),
    ] {
        let channel = Recorder::default();
        endpoint().give_back(&delivery, &channel);
        assert_eq!(*channel.said.lock().unwrap(), [said]);
    }
}

#[tokio::test]
async fn replies_go_to_callback_queues_alone_and_never_to_a_served_queue() {
    for (reply_to, said) in [
        ("amq.gen-x", "1 finished with Some(\"result\")"),
        ("amq_x", "1 finished with Some(\"result\")"),
        ("amq.rabbitmq.reply-to.g1h2", "1 finished with Some(\"result\")"),
        ("own-x", "1 finished with Some(\"result\")"),
        ("own-served", "1 rejected"),
        ("Payments", "1 rejected"),
        ("amq.direct", "1 rejected"),
        ("", "1 rejected"),
    ] {
        let (request, channel) = (request("balance", Some(reply_to), false), Recorder::default());
        assert!(endpoint().serve(request, &channel, &Span::none()).await.is_some());
        assert_eq!(*channel.said.lock().unwrap(), [said], "{reply_to:?}");
    }
}

#[tokio::test]
async fn any_reply_to_is_answered_but_served_queues() {
    let prefixes = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    for (exchange, prefixes, answered) in [
        ("", None, &["mine", "", "amq.direct", "amq.gen-x", "amq.rabbitmq.reply-to.x"][..]),
        ("", prefixes(&[]), &["amq.gen-x", "amq.rabbitmq.reply-to.x"]),
        ("", prefixes(&["m", "own-"]), &["mine", "amq.gen-x", "amq.rabbitmq.reply-to.x"]),
        // With an exchange, others have no right to write to queues.
        ("rpc", None, &["amq.gen-x", "amq.rabbitmq.reply-to.x"]),
        ("rpc", prefixes(&["mine"]), &["mine", "amq.gen-x", "amq.rabbitmq.reply-to.x"]),
    ] {
        for reply_to in [
            "mine",
            "",
            "amq.direct",
            "amq.gen-x",
            "amq.rabbitmq.reply-to.x",
            "own-served",
            "Payments",
        ] {
            let mut delivery = routed("Payments.balance", Some("balance"), &[]);
            let message = Arc::make_mut(&mut delivery.message);
            message.properties.reply_to = Some(reply_to.into());
            let said = said_by(endpoint_with(exchange, prefixes.clone()), delivery).await;
            let expected = if answered.contains(&reply_to) {
                "1 finished with Some(\"result\")"
            } else {
                "1 rejected"
            };
            assert_eq!(said, expected, "{reply_to:?} {exchange:?} {prefixes:?}");
        }
    }
}

#[tokio::test]
async fn handlers_see_raw_ids_escaped() {
    for (id, shown) in [
        (&b"\xf0\x0d\x00ab\xff"[..], r"\xf0\r\x00ab\xff"),
        (b"7", "7"),
        ("é".as_bytes(), "é"),
        (b"", ""),
    ] {
        let mut delivery = request("balance", Some("amq.gen-x"), false);
        let message = Arc::make_mut(&mut delivery.message);
        message.properties.correlation_id = Some(Id::from(id));
        assert_eq!(said_by(endpoint(), delivery).await, "1 finished with Some(\"result\")");
        assert_eq!(SEEN.take().as_deref(), Some(shown));
    }
}

#[test]
fn a_request_with_a_wrong_reply_to_is_never_shed_in_silence() {
    let (endpoint, channel) = (endpoint(), Recorder::default());
    endpoint.shed(&request("balance", Some("somebody-elses"), false), &channel);
    assert_eq!(*channel.said.lock().unwrap(), ["1 rejected"]);
    assert_eq!(endpoint.counters.snapshot().refused_reply_to, 1);
}

#[tokio::test]
async fn a_wrong_reply_to_is_rejected_once() {
    let mut delivery = request("balance", Some("Payments"), false);
    assert_eq!(said_by(endpoint(), delivery.clone()).await, "1 rejected");
    let deaths = HeaderValue::Deaths { size: 100, depth: 3, expired: false };
    let message = Arc::make_mut(&mut delivery.message);
    message.properties.headers.push(("x-death".into(), deaths));
    // Dead letters may lead back here.
    assert_eq!(said_by(endpoint(), delivery).await, "1 finished with None");
}

/// A request by the exchange `rpc`, with this routing key and these headers.
fn routed(key: &str, method: Option<&str>, headers: &[&'static str]) -> Delivery {
    let header = |name: &&'static str| ((*name).into(), HeaderValue::Opaque { size: 9, depth: 1 });
    let properties = Properties {
        kind: method.map(Into::into),
        content_type: Some("application/x-bincode".into()),
        reply_to: Some("amq.gen-x".into()),
        headers: headers.iter().map(header).collect(),
        ..Properties::default()
    };
    let (exchange, routing_key) = ("rpc".into(), key.into());
    let message = Message { exchange, routing_key, properties, ..Message::default() };
    Delivery { tag: 1, redelivered: false, message: message.into() }
}

async fn said_by(endpoint: Endpoint, delivery: Delivery) -> String {
    let channel = Recorder::default();
    endpoint.serve(delivery, &channel, &Span::none()).await;
    channel.said.lock().unwrap().join(", ")
}

#[tokio::test]
async fn behind_an_exchange_only_the_own_routing_key_counts() {
    for (delivery, word) in [
        (routed("Payments.balance", Some("balance"), &[]), "result"),
        (routed("Payments.balance", None, &[]), "result"),
        (routed("Payments.balance", Some("balance"), &["cc", "tenant"]), "result"),
        (routed("Payments.nonsense", Some("nonsense"), &[]), "unknown-method"),
        (routed("Payments.pay", Some("balance"), &[]), "not-permitted"),
        (routed("Other.balance", Some("balance"), &[]), "not-permitted"),
        (routed("Other.Payments.balance", Some("balance"), &[]), "not-permitted"),
        (routed("Payments.x.balance", Some("balance"), &[]), "not-permitted"),
        (routed("Paymentsbalance", Some("balance"), &[]), "not-permitted"),
        (routed("Payments", Some("balance"), &[]), "not-permitted"),
        (routed("balance", Some("balance"), &[]), "not-permitted"),
        (routed("", None, &[]), "not-permitted"),
        (routed("Payments.balance", Some("balance"), &["CC"]), "not-permitted"),
        (routed("Payments.balance", Some("balance"), &["BCC"]), "not-permitted"),
        (routed("Payments.balance", Some("balance"), &["x-death"]), "not-permitted"),
    ] {
        let asked = format!("{delivery:?}");
        let said = said_by(endpoint_behind("rpc"), delivery).await;
        assert_eq!(said, format!("1 finished with {:?}", Some(word)), "{asked}");
    }
    // Another exchange that leads to this one keeps its own name on the message.
    let said = said_by(endpoint_behind("other"), routed("Payments.balance", None, &[])).await;
    assert_eq!(said, "1 finished with Some(\"not-permitted\")");
}

/// A request that was dead-lettered before.
fn moved_back(method: &str, expired: bool) -> Delivery {
    let mut delivery = request(method, Some("amq.gen-x"), false);
    let deaths = HeaderValue::Deaths { size: 100, depth: 3, expired };
    let message = Arc::make_mut(&mut delivery.message);
    message.properties.headers.push(("x-death".into(), deaths));
    delivery
}

#[tokio::test]
async fn what_was_dead_lettered_counts_as_redelivered() {
    for (method, expired, word) in [
        ("balance", false, "result"),
        ("pay", false, "outcome-unknown"),
        ("balance", true, "expired"),
        ("pay", true, "expired"),
    ] {
        let said = said_by(endpoint(), moved_back(method, expired)).await;
        assert_eq!(said, format!("1 finished with {:?}", Some(word)), "{method}");
    }
    let mut rejecting = endpoint();
    Arc::get_mut(&mut rejecting.limits).unwrap().reject_redelivered = true;
    assert_eq!(said_by(rejecting, moved_back("balance", false)).await, "1 rejected");
    let mut rejecting = endpoint();
    Arc::get_mut(&mut rejecting.limits).unwrap().reject_redelivered = true;
    let said = said_by(rejecting, moved_back("balance", true)).await;
    assert_eq!(said, "1 finished with Some(\"expired\")");
}

#[tokio::test]
async fn faults_of_redelivered_requests_say_they_may_have_run() {
    let ran = Some(HeaderValue::Boolean(true));
    for (redelivered, said) in [(false, None), (true, ran.clone())] {
        let (endpoint, channel) = (endpoint(), Recorder::default());
        endpoint.shed(&request("balance", Some("amq.gen-x"), redelivered), &channel);
        let mut late = request("balance", Some("amq.gen-x"), redelivered);
        let properties = &mut Arc::make_mut(&mut late.message).properties;
        properties.headers.push(("rpc-timeout-ms".into(), HeaderValue::Integer(0)));
        endpoint.serve(late, &channel, &Span::none()).await;
        let unknown = request("nonsense", Some("amq.gen-x"), redelivered);
        endpoint.serve(unknown, &channel, &Span::none()).await;
        assert_eq!(*channel.ran.lock().unwrap(), [said.clone(), said, None], "{redelivered}");
    }
    for (redelivered, said) in [(false, None), (true, ran)] {
        let channel = Recorder::default();
        let expired = Delivery { redelivered, ..moved_back("balance", true) };
        endpoint().serve(expired, &channel, &Span::none()).await;
        assert_eq!(*channel.ran.lock().unwrap(), [said], "{redelivered}");
    }
}

/// A request for `balance`, changed.
fn changed(change: impl FnOnce(&mut Message)) -> Delivery {
    let mut delivery = request("balance", Some("amq.gen-x"), false);
    change(Arc::make_mut(&mut delivery.message));
    delivery
}

#[tokio::test]
async fn each_check_refuses_with_its_word() {
    let header = |name: &'static str, value: HeaderValue| {
        move |message: &mut Message| message.properties.headers.push((name.into(), value))
    };
    let signature =
        PaymentsServer::new(Bank).descriptor().method("balance").unwrap().signature.as_str();
    for (delivery, word) in [
        (changed(|_| {}), "result"),
        (changed(header("rpc-signature", HeaderValue::Text(signature.into()))), "result"),
        (
            changed(header("rpc-signature", HeaderValue::Text("0".repeat(16).into()))),
            "incompatible",
        ),
        (changed(|message| message.properties.kind = None), "unknown-method"),
        (changed(|message| message.properties.kind = Some("close".into())), "unknown-method"),
        (
            changed(|message| message.properties.content_type = Some("image/png".into())),
            "unsupported-encoding",
        ),
        (changed(|message| message.body = vec![0; 101].into()), "too-large"),
        (changed(|message| message.body = vec![0; 100].into()), "bad-arguments"),
        (changed(header("rpc-timeout-ms", HeaderValue::Integer(0))), "expired"),
        (request("pay", Some("amq.gen-x"), true), "outcome-unknown"),
        (request("pay", Some("amq.gen-x"), false), "result"),
        (request("balance", Some("amq.gen-x"), true), "result"),
        // The cheapest check comes first.
        (
            changed(|message| {
                message.properties.kind = Some("close".into());
                message.body = vec![0; 101].into();
            }),
            "unknown-method",
        ),
        (
            changed(|message| {
                header("rpc-timeout-ms", HeaderValue::Integer(0))(message);
                message.body = vec![0; 101].into();
            }),
            "too-large",
        ),
    ] {
        let asked = format!("{delivery:?}");
        let said = said_by(endpoint(), delivery).await;
        assert_eq!(said, format!("1 finished with {:?}", Some(word)), "{asked}");
    }
}

#[tokio::test]
async fn nobody_is_answered_who_does_not_ask() {
    let silent = request("balance", None, false);
    assert_eq!(said_by(endpoint(), silent).await, "1 finished with None");
}
