//! What a broker must do for this framework. The in-memory broker and RabbitMQ pass the same tests.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use super::{
    CallerChannel, CallerOptions, CallerSink, Deliveries, Delivery, Fate, HeaderValue, Id, Link,
    ListenerOptions, Message, Overflow, Properties, Queue, QueueState, Transport, WorkerChannel,
    WorkerOptions,
    amqp::{AmqpOptions, AmqpTransport},
    faults::FaultyTransport,
    memory::MemoryTransport,
};
use crate::{
    broker::Tls,
    error::{BrokerError, BrokerErrorKind},
};

/// Longer than anything takes here, shorter than anybody waits.
const SOON: Duration = Duration::from_secs(10);
/// Long enough to see that nothing comes.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Each line is a test of both brokers, and of the place where faults are injected while none are.
macro_rules! conformance {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        mod in_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Bench::new(super::MemoryTransport::default()).await).await;
                }
            )*
        }

        mod without_faults {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Bench::new(super::faulty_transport()).await).await;
                }
            )*
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Bench::new(super::rabbitmq_transport().await).await).await;
                }
            )*
        }
    };
}

conformance! {
    a_message_reaches_one_of_the_competing_consumers;
    a_consumer_holds_no_more_than_its_prefetch;
    an_unacknowledged_message_is_delivered_again_and_marked;
    a_requeued_message_is_delivered_again_and_marked;
    a_request_to_a_missing_queue_comes_back;
    a_full_queue_rejects;
    a_full_queue_that_drops_keeps_the_newest;
    an_expired_request_is_not_delivered;
    the_ttl_of_a_queue_expires_requests_too;
    a_reply_reaches_its_caller_with_all_its_properties;
    a_reply_to_a_caller_that_is_gone_is_counted;
    direct_reply_to_carries_replies;
    without_confirms_a_request_to_a_missing_queue_still_comes_back;
    stopping_loses_nothing_and_takes_nothing_more;
    a_lost_connection_ends_deliveries_and_callers;
    an_exchange_routes_by_queue_and_method;
    every_listener_gets_a_copy_of_what_its_keys_match;
    a_listeners_queue_goes_with_its_channel;
    a_listeners_queue_keeps_the_newest;
    a_queue_says_how_it_stands;
    a_callback_queue_goes_with_its_channel;
    a_missing_exchange_is_named;
    a_queue_declared_differently_is_named;
    a_passive_queue_has_to_exist_and_is_taken_as_it_is;
    higher_priorities_come_first;
    a_quorum_queue_gives_up_after_its_delivery_limit;
}

fn faulty_transport() -> FaultyTransport {
    FaultyTransport::new(Arc::new(MemoryTransport::default()), Arc::default())
}

async fn rabbitmq_transport() -> AmqpTransport {
    AmqpTransport::new(&AmqpOptions {
        addresses: &[rpc_tests::Rabbit::shared().await.url().to_owned()],
        name: "conformance",
        heartbeat: Duration::from_secs(8),
        tls: &Tls::new(),
        external: false,
    })
    .unwrap()
}

/// One connection to the broker under test.
struct Bench {
    link: Arc<dyn Link>,
    queue: Queue,
    undeliverable: Arc<AtomicU64>,
}

struct Caller {
    channel: Arc<dyn CallerChannel>,
    events: mpsc::UnboundedReceiver<Event>,
}

struct Worker {
    channel: Arc<dyn WorkerChannel>,
    deliveries: Deliveries,
}

#[derive(Debug)]
enum Event {
    Reply(Arc<Message>),
    Settled(Uuid, Fate),
}

/// The kind alone: errors cannot be compared.
impl PartialEq for Fate {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

struct Events(mpsc::UnboundedSender<Event>);

impl CallerSink for Events {
    fn reply(&self, message: Arc<Message>) {
        let _ = self.0.send(Event::Reply(message));
    }

    fn settled(&self, correlation_id: Uuid, fate: Fate) {
        let _ = self.0.send(Event::Settled(correlation_id, fate));
    }
}

impl Bench {
    async fn new(transport: impl Transport) -> Self {
        let link = transport.connect().await.unwrap();
        Self {
            link,
            // Gone by itself, for a test that fails before it could clean up.
            queue: Queue::named(format!("conformance-{}", Uuid::new_v4()))
                .argument("x-expires", 60_000),
            undeliverable: Arc::default(),
        }
    }

    fn options(&self, prefetch: u16) -> WorkerOptions {
        WorkerOptions {
            queue: self.queue.clone(),
            prefetch,
            exchange: String::new(),
            undeliverable: self.undeliverable.clone(),
        }
    }

    async fn worker(&self, prefetch: u16) -> Worker {
        open_worker(&*self.link, self.options(prefetch)).await.unwrap()
    }

    async fn caller(&self) -> Caller {
        self.caller_with(CallerOptions::default()).await
    }

    async fn caller_with(&self, options: CallerOptions) -> Caller {
        let (sender, events) = mpsc::unbounded_channel();
        let channel = self.link.open_caller(options, Arc::new(Events(sender))).await.unwrap();
        Caller { channel, events }
    }

    fn request(&self, body: &str) -> Message {
        message(self.queue.name(), body)
    }
}

async fn open_worker(link: &dyn Link, options: WorkerOptions) -> Result<Worker, BrokerError> {
    let (channel, deliveries) = link.open_worker(options).await?;
    Ok(Worker { channel, deliveries })
}

fn message(routing_key: &str, body: &str) -> Message {
    Message {
        routing_key: routing_key.into(),
        mandatory: true,
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..Message::default()
    }
}

impl Caller {
    fn publish(&self, mut message: Message) -> Uuid {
        let id = Uuid::new_v4();
        message.properties.correlation_id = Some(Id::Uuid(id));
        self.channel.publish(id, message).unwrap();
        id
    }

    /// Publishes, and waits for what becomes of it.
    async fn fate_of(&mut self, message: Message) -> Fate {
        let id = self.publish(message);
        loop {
            match self.event().await {
                Event::Settled(settled, fate) if settled == id => return fate,
                _ => {}
            }
        }
    }

    async fn event(&mut self) -> Event {
        timeout(SOON, self.events.recv()).await.expect("an event").expect("an open channel")
    }

    async fn reply(&mut self) -> Arc<Message> {
        loop {
            if let Event::Reply(reply) = self.event().await {
                return reply;
            }
        }
    }
}

impl Worker {
    async fn next(&mut self) -> Delivery {
        timeout(SOON, self.deliveries.next()).await.expect("a delivery").expect("an open channel")
    }

    async fn expect_nothing(&mut self) {
        let came = timeout(A_MOMENT, self.deliveries.next()).await;
        assert!(came.is_err(), "nothing was expected: {came:?}");
    }
}

fn text(message: &impl Deref<Target = Message>) -> &str {
    std::str::from_utf8(&message.body).unwrap()
}

async fn a_message_reaches_one_of_the_competing_consumers(bench: Bench) {
    let (mut one, mut two) = (bench.worker(10).await, bench.worker(10).await);
    let caller = bench.caller().await;
    for body in ["a", "b", "c", "d"] {
        caller.publish(bench.request(body));
    }
    let mut bodies = Vec::new();
    for _ in 0..2 {
        for worker in [&mut one, &mut two] {
            let delivery = worker.next().await;
            assert!(!delivery.redelivered);
            bodies.push(text(&delivery).to_owned());
            worker.channel.finish(delivery.tag, None);
        }
    }
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c", "d"]);
    one.expect_nothing().await;
    two.expect_nothing().await;
}

async fn a_consumer_holds_no_more_than_its_prefetch(bench: Bench) {
    let mut worker = bench.worker(2).await;
    let caller = bench.caller().await;
    for body in ["a", "b", "c"] {
        caller.publish(bench.request(body));
    }
    let (first, second) = (worker.next().await, worker.next().await);
    worker.expect_nothing().await;
    worker.channel.finish(second.tag, None);
    assert_eq!(text(&worker.next().await), "c");
    worker.expect_nothing().await;
    worker.channel.finish(first.tag, None);
}

async fn an_unacknowledged_message_is_delivered_again_and_marked(bench: Bench) {
    let mut first = bench.worker(10).await;
    let caller = bench.caller().await;
    caller.publish(bench.request("answered"));
    caller.publish(bench.request("held"));
    let answered = first.next().await;
    first.channel.finish(answered.tag, None);
    assert_eq!(text(&first.next().await), "held");
    first.channel.close().await;
    drop(first);

    let mut second = bench.worker(10).await;
    let again = second.next().await;
    assert_eq!((text(&again), again.redelivered), ("held", true));
    second.channel.finish(again.tag, None);
    second.expect_nothing().await;
}

async fn a_requeued_message_is_delivered_again_and_marked(bench: Bench) {
    let mut worker = bench.worker(10).await;
    let caller = bench.caller().await;
    caller.publish(bench.request("a"));
    let delivery = worker.next().await;
    worker.channel.requeue(delivery.tag);
    let again = worker.next().await;
    assert_eq!((text(&again), again.redelivered), ("a", true));
    worker.channel.finish(again.tag, None);
}

async fn a_request_to_a_missing_queue_comes_back(bench: Bench) {
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("a")).await, Fate::Unroutable);
    let _worker = bench.worker(1).await;
    assert_eq!(caller.fate_of(bench.request("b")).await, Fate::Accepted);
}

async fn a_full_queue_rejects(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_length(1).overflow(Overflow::RejectPublish);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("held")).await, Fate::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.fate_of(bench.request("waiting")).await, Fate::Accepted);
    assert_eq!(caller.fate_of(bench.request("too much")).await, Fate::Rejected);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "waiting");
}

async fn a_full_queue_that_drops_keeps_the_newest(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_length(1).overflow(Overflow::DropHead);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("held")).await, Fate::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.fate_of(bench.request("old")).await, Fate::Accepted);
    assert_eq!(caller.fate_of(bench.request("new")).await, Fate::Accepted);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "new");
}

async fn an_expired_request_is_not_delivered(bench: Bench) {
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("held")).await, Fate::Accepted);
    let held = worker.next().await;
    let mut hurried = bench.request("hurried");
    hurried.properties.expiration = Some("20".into());
    assert_eq!(caller.fate_of(hurried).await, Fate::Accepted);
    assert_eq!(caller.fate_of(bench.request("patient")).await, Fate::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "patient");
}

async fn the_ttl_of_a_queue_expires_requests_too(mut bench: Bench) {
    bench.queue = bench.queue.clone().message_ttl(Duration::from_millis(20));
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("held")).await, Fate::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.fate_of(bench.request("forgotten")).await, Fate::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    worker.expect_nothing().await;
}

/// Time itself is what is waited for here.
async fn expire(ttl: Duration) {
    sleep(ttl * 3).await;
}

async fn a_reply_reaches_its_caller_with_all_its_properties(bench: Bench) {
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    caller.publish(bench.request("question"));
    let request = worker.next().await;

    let properties = Properties {
        kind: Some("result".into()),
        content_type: Some("text/plain".into()),
        content_encoding: Some("utf-8".into()),
        correlation_id: Some("c".into()),
        reply_to: None,
        expiration: Some("60000".into()),
        message_id: Some("m".into()),
        user_id: None,
        priority: Some(3),
        persistent: true,
        headers: vec![
            ("flag".into(), HeaderValue::Boolean(true)),
            ("number".into(), HeaderValue::Integer(-7)),
            ("text".into(), HeaderValue::Text("é".into())),
        ],
    };
    let mut reply = message(caller.channel.callback_queue(), "answer");
    reply.properties = properties.clone();
    worker.channel.finish(request.tag, Some(reply));
    let received = caller.reply().await;
    assert_eq!((text(&received), &received.properties), ("answer", &properties));
    // The request was acknowledged after it.
    worker.channel.close().await;
    bench.worker(1).await.expect_nothing().await;
}

async fn a_reply_to_a_caller_that_is_gone_is_counted(bench: Bench) {
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    for body in ["a", "b"] {
        assert_eq!(caller.fate_of(bench.request(body)).await, Fate::Accepted);
    }
    let started = Instant::now();
    while bench.undeliverable.load(Ordering::Relaxed) == 0 && started.elapsed() < SOON {
        // RabbitMQ returns the reply a moment after it was sent; it is counted at the next one.
        let request = worker.next().await;
        let reply = message("amq.gen-of-nobody", "answer");
        worker.channel.finish(request.tag, Some(reply));
        caller.publish(bench.request("more"));
    }
    assert!(bench.undeliverable.load(Ordering::Relaxed) > 0);
}

async fn direct_reply_to_carries_replies(bench: Bench) {
    let mut worker = bench.worker(1).await;
    let options = CallerOptions { direct_reply_to: true, ..CallerOptions::default() };
    let mut caller = bench.caller_with(options).await;
    let mut request = bench.request("question");
    request.properties.reply_to = Some(caller.channel.callback_queue().to_owned());
    caller.publish(request);
    let request = worker.next().await;
    let reply_to = request.properties.reply_to.clone().unwrap();
    assert!(reply_to.starts_with("amq.rabbitmq.reply-to"), "{reply_to}");
    let reply = Message { mandatory: false, ..message(&reply_to, "answer") };
    worker.channel.finish(request.tag, Some(reply));
    assert_eq!(text(&caller.reply().await), "answer");
}

async fn without_confirms_a_request_to_a_missing_queue_still_comes_back(bench: Bench) {
    let options = CallerOptions { confirms: false, ..CallerOptions::default() };
    let mut caller = bench.caller_with(options).await;
    let id = caller.publish(bench.request("a"));
    loop {
        if let Event::Settled(settled, Fate::Unroutable) = caller.event().await {
            assert_eq!(settled, id);
            return;
        }
    }
}

async fn stopping_loses_nothing_and_takes_nothing_more(bench: Bench) {
    let mut first = bench.worker(10).await;
    let mut caller = bench.caller().await;
    for body in ["a", "b"] {
        assert_eq!(caller.fate_of(bench.request(body)).await, Fate::Accepted);
    }
    let a = first.next().await;
    first.channel.stop().await;
    assert_eq!(caller.fate_of(bench.request("c")).await, Fate::Accepted);
    // What had arrived still comes out; then the stream ends.
    let b = first.next().await;
    assert_eq!(text(&b), "b");
    assert!(timeout(SOON, first.deliveries.next()).await.unwrap().is_none());
    first.channel.finish(a.tag, None);
    first.channel.requeue(b.tag);
    first.channel.close().await;

    let mut second = bench.worker(10).await;
    let mut left = [second.next().await, second.next().await];
    left.sort_by_key(|delivery| delivery.body.clone());
    assert_eq!(
        [(text(&left[0]), left[0].redelivered), (text(&left[1]), left[1].redelivered)],
        [("b", true), ("c", false)]
    );
}

async fn a_lost_connection_ends_deliveries_and_callers(bench: Bench) {
    let mut worker = bench.worker(10).await;
    let caller = bench.caller().await;
    let (link_gone, caller_gone) = (bench.link.closed(), caller.channel.closed());
    bench.link.close().await;
    assert!(timeout(SOON, worker.deliveries.next()).await.unwrap().is_none());
    assert!(!timeout(SOON, link_gone).await.unwrap().is_permanent());
    timeout(SOON, caller_gone).await.unwrap();
    assert!(caller.channel.publish(Uuid::new_v4(), bench.request("a")).is_err());
}

async fn an_exchange_routes_by_queue_and_method(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut options = bench.options(1);
    options.exchange.clone_from(&exchange);
    let mut worker = open_worker(&*bench.link, options).await.unwrap();
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let mut caller = bench.caller_with(options).await;

    let routed = |key: String| Message { exchange: exchange.as_str().into(), ..message(&key, "a") };
    let known = format!("{}.fib", bench.queue.name());
    assert_eq!(caller.fate_of(routed(known.clone())).await, Fate::Accepted);
    let delivery = worker.next().await;
    assert_eq!((&*delivery.exchange, &*delivery.routing_key), (&*exchange, &*known));
    assert_eq!(caller.fate_of(routed("nobody.fib".to_owned())).await, Fate::Unroutable);
    assert_eq!(caller.fate_of(routed(bench.queue.name().to_owned())).await, Fate::Unroutable);
}

impl Bench {
    async fn listener(&self, exchange: &str, keys: &[&str]) -> Worker {
        let options = ListenerOptions {
            exchange: exchange.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            prefetch: 1,
            max_length: 2,
            undeliverable: self.undeliverable.clone(),
        };
        let (channel, deliveries) = self.link.open_listener(options).await.unwrap();
        Worker { channel, deliveries }
    }
}

async fn every_listener_gets_a_copy_of_what_its_keys_match(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut one = bench.listener(&exchange, &["ask", "ask.one"]).await;
    let mut two = bench.listener(&exchange, &["*", "ask.two"]).await;
    let mut caller = bench.caller().await;
    let to = |key: &str, body| Message { exchange: exchange.as_str().into(), ..message(key, body) };
    assert_eq!(caller.fate_of(to("ask", "both")).await, Fate::Accepted);
    assert_eq!(caller.fate_of(to("ask.two", "two")).await, Fate::Accepted);
    assert_eq!(caller.fate_of(to("ask.nobody", "lost")).await, Fate::Unroutable);
    for (listener, expected) in [(&mut one, &["both"][..]), (&mut two, &["both", "two"])] {
        for body in expected {
            let request = listener.next().await;
            assert_eq!((text(&request), &*request.exchange), (*body, &*exchange));
            let reply = message(caller.channel.callback_queue(), body);
            listener.channel.finish(request.tag, Some(reply));
            assert_eq!(text(&caller.reply().await), *body);
        }
        listener.expect_nothing().await;
    }
}

async fn a_listeners_queue_goes_with_its_channel(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let listener = bench.listener(&exchange, &["ask"]).await;
    let mut caller = bench.caller().await;
    let ask = || Message { exchange: exchange.as_str().into(), ..message("ask", "a") };
    assert_eq!(caller.fate_of(ask()).await, Fate::Accepted);
    drop(listener);
    let started = Instant::now();
    while caller.fate_of(ask()).await != Fate::Unroutable {
        assert!(started.elapsed() < SOON, "the queue is still bound");
    }
}

async fn a_listeners_queue_keeps_the_newest(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut listener = bench.listener(&exchange, &["ask"]).await;
    let mut caller = bench.caller().await;
    for body in ["held", "a", "b", "c"] {
        let ask = Message { exchange: exchange.as_str().into(), ..message("ask", body) };
        assert_eq!(caller.fate_of(ask).await, Fate::Accepted);
    }
    for body in ["held", "b", "c"] {
        let request = listener.next().await;
        assert_eq!(text(&request), body);
        listener.channel.finish(request.tag, None);
    }
    listener.expect_nothing().await;
}

async fn a_queue_says_how_it_stands(bench: Bench) {
    let name = bench.queue.name();
    assert_eq!(bench.link.queue_state(name).await.unwrap(), None);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    for body in ["held", "waits", "waits, too"] {
        assert_eq!(caller.fate_of(bench.request(body)).await, Fate::Accepted);
    }
    let held = worker.next().await;
    let expected = Some(QueueState { messages: 2, consumers: 1 });
    assert_eq!(bench.link.queue_state(name).await.unwrap(), expected);
    worker.channel.finish(held.tag, None);
}

async fn a_callback_queue_goes_with_its_channel(bench: Bench) {
    let caller = bench.caller().await;
    let queue = caller.channel.callback_queue().to_owned();
    let mut other = bench.caller().await;
    assert_eq!(other.fate_of(message(&queue, "a")).await, Fate::Accepted);
    drop(caller);
    let started = Instant::now();
    while other.fate_of(message(&queue, "a")).await != Fate::Unroutable {
        assert!(started.elapsed() < SOON, "the queue is still there");
    }
}

async fn a_missing_exchange_is_named(bench: Bench) {
    let exchange = format!("missing-{}", Uuid::new_v4());
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let (sender, _) = mpsc::unbounded_channel();
    let refused = bench.link.open_caller(options, Arc::new(Events(sender))).await;
    let error = refused.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(&exchange), "{error}");
    // The connection survives it.
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("a")).await, Fate::Unroutable);
}

async fn a_queue_declared_differently_is_named(bench: Bench) {
    let _worker = bench.worker(1).await;
    let mut options = bench.options(1);
    options.queue = options.queue.max_length(7);
    let error = open_worker(&*bench.link, options).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::DeclaredDifferently);
    let said = error.to_string();
    assert!(said.contains(bench.queue.name()) && said.contains("x-max-length"), "{said}");
}

async fn a_passive_queue_has_to_exist_and_is_taken_as_it_is(bench: Bench) {
    let mut options = bench.options(1);
    options.queue = Queue::named(bench.queue.name()).passive();
    let error = open_worker(&*bench.link, options.clone()).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(bench.queue.name()), "{error}");

    let owner = bench.worker(1).await;
    owner.channel.close().await;
    let mut joined = open_worker(&*bench.link, options).await.unwrap();
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("a")).await, Fate::Accepted);
    assert_eq!(text(&joined.next().await), "a");
}

async fn higher_priorities_come_first(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_priority(5);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    let mut held = None;
    for (body, priority) in [("held", 0), ("low", 1), ("high", 4), ("also low", 1)] {
        let mut request = bench.request(body);
        request.properties.priority = Some(priority);
        assert_eq!(caller.fate_of(request).await, Fate::Accepted);
        if held.is_none() {
            held = Some(worker.next().await);
        }
    }
    worker.channel.finish(held.unwrap().tag, None);
    for expected in ["high", "low", "also low"] {
        let delivery = worker.next().await;
        assert_eq!(text(&delivery), expected);
        worker.channel.finish(delivery.tag, None);
    }
}

async fn a_quorum_queue_gives_up_after_its_delivery_limit(mut bench: Bench) {
    bench.queue = bench.queue.clone().quorum().delivery_limit(2);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.fate_of(bench.request("poison")).await, Fate::Accepted);
    for attempt in 0..3 {
        let delivery = worker.next().await;
        assert_eq!((text(&delivery), delivery.redelivered), ("poison", attempt > 0));
        worker.channel.requeue(delivery.tag);
    }
    worker.expect_nothing().await;
}
