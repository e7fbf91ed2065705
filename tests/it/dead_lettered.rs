//! Requests that reach a queue by other means than their caller's routing key, or that were in another queue before.

use rpc_runtime::{Broker, Server};
use rpc_tests::{Message, Peer, QueueSpec, Rabbit, typed, unique};
use serde_json::json;

use crate::brokers::{Inside, SOON, SampleServer, queue, rabbitmq};

/// A plain AMQP program with all rights, and its callback queue.
struct Caller {
    peer: Peer,
    callback: String,
}

impl Caller {
    async fn new() -> Self {
        let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
        let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
        Self { peer, callback }
    }

    /// A new queue whose dead letters go to this exchange and routing key.
    async fn queue_before(&self, exchange: &str, routing_key: &str) -> String {
        let queue = QueueSpec::named("")
            .exclusive()
            .argument("x-dead-letter-exchange", exchange)
            .argument("x-dead-letter-routing-key", routing_key);
        self.peer.declare(queue).await.unwrap().name
    }

    fn request(&self, to: &str, method: &str, body: &str) -> Message {
        Message {
            kind: Some(method.to_owned()),
            content_type: Some("application/json".to_owned()),
            correlation_id: Some(method.to_owned()),
            reply_to: Some(self.callback.clone()),
            ..Message::to(to, body)
        }
    }

    /// The next reply: its fault word, or else its body.
    async fn answer(&self) -> String {
        let reply = self.peer.get(&self.callback, SOON).await.unwrap().expect("an answer");
        match reply.header("rpc-fault").as_str() {
            Some(fault) => fault.to_owned(),
            None => reply.text(),
        }
    }

    async fn dead_letter(&self, queue: &str, request: Message) {
        self.peer.publish(Message { routing_key: queue.to_owned(), ..request }).await.unwrap();
        let message = self.peer.take(queue, SOON).await.unwrap().expect("the request");
        self.peer.nack(&message, false).await.unwrap();
    }

    async fn let_expire(&self, queue: &str, request: Message) {
        let expiration = Some("1".to_owned());
        let request = Message { routing_key: queue.to_owned(), expiration, ..request };
        self.peer.publish(request).await.unwrap();
    }
}

async fn serve(broker: &Broker, name: &str, inside: &Inside) -> Server {
    let service = SampleServer::new(inside.clone());
    Server::builder(broker).service_on(queue(name), service).start().await.unwrap()
}

#[tokio::test]
async fn an_expired_request_that_returns_is_not_run() {
    let (broker, name, inside) = (rabbitmq().await, unique("expired"), Inside::new());
    let server = serve(&broker, &name, &inside).await;
    let caller = Caller::new().await;
    let parked = caller.queue_before("", &name).await;
    for (method, body) in [("seen", "[]"), ("once", "[1]"), ("again", "[1]")] {
        caller.let_expire(&parked, caller.request("", method, body)).await;
        assert_eq!(caller.answer().await, "expired", "{method}");
    }
    assert_eq!(inside.started(), 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_expired_request_moved_back_is_not_run() {
    let (broker, name, inside) = (rabbitmq().await, unique("moved"), Inside::new());
    let caller = Caller::new().await;
    let grave = caller.peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let forgotten = QueueSpec::named(&name)
        .classic()
        .durable()
        .argument("x-queue-type", "classic")
        .argument("x-expires", typed('l', 60_000))
        .argument("x-dead-letter-exchange", "")
        .argument("x-dead-letter-routing-key", grave.as_str());
    caller.peer.declare(forgotten).await.unwrap();
    caller.let_expire(&name, caller.request("", "once", "[1]")).await;
    let dead = caller.peer.get(&grave, SOON).await.unwrap().expect("it expired");
    caller.peer.delete(&name).await.unwrap();

    let server = serve(&broker, &name, &inside).await;
    // Like a shovel: the headers of RabbitMQ stay.
    assert_eq!(dead.header("x-death")[0]["reason"], "expired");
    let moved = Message { exchange: String::new(), routing_key: name.clone(), ..dead };
    caller.peer.publish(moved).await.unwrap();
    assert_eq!(caller.answer().await, "expired");
    assert_eq!(inside.started(), 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_rejected_request_that_comes_back_is_redelivered() {
    let (broker, name, inside) = (rabbitmq().await, unique("rejected"), Inside::new());
    let server = serve(&broker, &name, &inside).await;
    let caller = Caller::new().await;
    let parked = caller.queue_before("", &name).await;
    caller.dead_letter(&parked, caller.request("", "once", "[1]")).await;
    assert_eq!(caller.answer().await, "outcome-unknown");
    caller.dead_letter(&parked, caller.request("", "seen", "[]")).await;
    let seen = caller.answer().await;
    assert!(seen.contains(r#""redelivered":true"#), "{seen}");
    assert_eq!(inside.started(), 0);
    server.shutdown().await.unwrap();
}

/// Two services behind one exchange, and a caller with permission for the first.
struct Neighbours {
    broker: Broker,
    exchange: String,
    open: String,
    vault: String,
    open_inside: Inside,
    vault_inside: Inside,
    servers: Vec<Server>,
    caller: Caller,
}

impl Neighbours {
    async fn new() -> Self {
        let (exchange, open, vault) = (unique("exchange"), unique("open"), unique("vault"));
        let url = Rabbit::shared().await.url();
        let broker = Broker::builder(url).exchange(&exchange).connect().await.unwrap();
        let (open_inside, vault_inside) = (Inside::new(), Inside::new());
        let servers = vec![
            serve(&broker, &open, &open_inside).await,
            serve(&broker, &vault, &vault_inside).await,
        ];
        let caller = Caller::new().await;
        Self { broker, exchange, open, vault, open_inside, vault_inside, servers, caller }
    }

    /// A request that the exchange routes to the open service, with these headers.
    fn request(&self, headers: serde_json::Value) -> Message {
        let key = format!("{}.again", self.open);
        let exchange = self.exchange.clone();
        Message { exchange, headers, ..self.caller.request(&key, "again", "[1]") }
    }

    fn second(&self) -> String {
        format!("{}.again", self.vault)
    }

    async fn end(self) {
        assert_eq!(
            self.vault_inside.started(),
            0,
            "it has not run for a caller without permission"
        );
        for server in self.servers {
            server.shutdown().await.unwrap();
        }
        self.caller.peer.delete_exchange(&self.exchange).await.unwrap();
        drop(self.broker);
    }
}

#[tokio::test]
async fn a_second_routing_key_reaches_no_other_service() {
    let both = Neighbours::new().await;
    both.caller.peer.publish(both.request(json!({ "CC": [both.second()] }))).await.unwrap();
    let answers = [both.caller.answer().await, both.caller.answer().await];
    assert_eq!(answers, ["not-permitted", "not-permitted"]);
    assert_eq!(both.open_inside.started(), 0);

    // RabbitMQ removes this header, so the first service does not see it.
    both.open_inside.gate.add_permits(1);
    both.caller.peer.publish(both.request(json!({ "BCC": [both.second()] }))).await.unwrap();
    let mut answers = [both.caller.answer().await, both.caller.answer().await];
    answers.sort();
    assert_eq!(answers, ["1", "not-permitted"]);

    // Without a type, the method comes from the routing key, not from the default of the other service.
    let untyped = Message { kind: None, ..both.request(json!({ "BCC": [both.second()] })) };
    both.open_inside.gate.add_permits(1);
    both.caller.peer.publish(untyped).await.unwrap();
    let mut answers = [both.caller.answer().await, both.caller.answer().await];
    answers.sort();
    assert_eq!(answers, ["1", "not-permitted"]);
    both.end().await;
}

#[tokio::test]
async fn a_dead_letter_cannot_bypass_permissions() {
    let both = Neighbours::new().await;
    let parked = both.caller.queue_before(&both.exchange, &both.second()).await;
    let request = both.caller.request("", "again", "[1]");
    both.caller.let_expire(&parked, request.clone()).await;
    assert_eq!(both.caller.answer().await, "not-permitted");
    both.caller.dead_letter(&parked, request.clone()).await;
    assert_eq!(both.caller.answer().await, "not-permitted");
    let untyped = Message { kind: None, ..request };
    both.caller.dead_letter(&parked, untyped).await;
    assert_eq!(both.caller.answer().await, "not-permitted");
    both.end().await;
}

#[tokio::test]
async fn another_exchange_cannot_bypass_permissions() {
    let both = Neighbours::new().await;
    let own = unique("own");
    both.caller.peer.declare_exchange(&own, "fanout", false).await.unwrap();
    both.caller.peer.bind_exchange(&both.exchange, &own, "").await.unwrap();
    let request = both.caller.request(&both.second(), "again", "[1]");
    both.caller.peer.publish(Message { exchange: own.clone(), ..request }).await.unwrap();
    assert_eq!(both.caller.answer().await, "not-permitted");
    both.caller.peer.delete_exchange(&own).await.unwrap();
    both.end().await;
}
