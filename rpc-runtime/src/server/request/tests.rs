use std::sync::Mutex;

use super::*;
use crate::{
    rpc_service,
    transport::{BoxFuture, HeaderValue, Properties},
};

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
        7
    }
}

/// Writes down what is said to it.
#[derive(Default)]
struct Recorder {
    said: Mutex<Vec<String>>,
}

impl Recorder {
    fn say(&self, what: String) {
        self.said.lock().unwrap().push(what);
    }
}

impl WorkerChannel for Recorder {
    fn finish(&self, tag: u64, reply: Option<Message>, _: Instant) {
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
        Box::pin(async {})
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn endpoint() -> Endpoint {
    let limits = Limits {
        max_request: 100,
        max_reply: 100,
        reply_to_prefixes: vec!["own-".to_owned()],
        reject_redelivered: false,
        admission: Admission::default(),
    };
    Endpoint::new(
        &PaymentsServer::new(Bank),
        None,
        Arc::new(limits),
        vec!["Payments".to_owned(), "own-served".to_owned()],
        SmolStr::default(),
        watch::Sender::new(Phase::Serving).subscribe(),
        Arc::default(),
    )
}

fn request(method: &str, reply_to: Option<&str>, redelivered: bool) -> Delivery {
    let properties = Properties {
        kind: Some(method.into()),
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
        ("own-served", "1 finished with None"),
        ("Payments", "1 finished with None"),
        ("amq.direct", "1 finished with None"),
        ("", "1 finished with None"),
    ] {
        let (request, channel) = (request("balance", Some(reply_to), false), Recorder::default());
        assert!(endpoint().serve(request, Instant::now(), &channel, &Span::none()).await.is_some());
        assert_eq!(*channel.said.lock().unwrap(), [said], "{reply_to:?}");
    }
}
