//! Calls: in flight, dropped, with headers and deadlines.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use rpc_runtime::{
    Broker, Call, CallError, Context, FaultKind, Server, UntypedClient, rpc_service,
};
use rpc_tests::{eventually, unique};
use tokio::{task::JoinSet, time::Instant};

use crate::brokers::{
    Inside, Pair, SOON, SampleClient, assert_ended, on_both_brokers, queue, rabbitmq, refusal,
};

on_both_brokers! {
    a_thousand_calls_get_their_own_replies;
    a_dropped_call_leaves_nothing_behind;
    a_call_that_is_never_polled_sends_nothing;
    a_oneway_call_ends_with_its_confirmation;
    a_call_may_be_sent_without_waiting;
    headers_and_the_deadline_travel;
    a_reserved_header_fails_the_call;
    headers_that_only_look_like_routing_travel;
    a_polled_call_cannot_be_changed;
    nested_calls_inherit_the_deadline_and_the_trace;
    a_blocking_method_does_not_block_the_others;
    a_closed_broker_says_so;
}

async fn a_thousand_calls_get_their_own_replies(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(400)).await;
    let mut servers = vec![pair.inside.clone()];
    let mut more = Vec::new();
    for _ in 0..2 {
        let inside = Inside::new();
        let server = Server::builder(&pair.broker)
            .service_on(queue(&pair.queue), crate::brokers::SampleServer::new(inside.clone()))
            .concurrency(400)
            .start()
            .await
            .unwrap();
        servers.push(inside);
        more.push(server);
    }
    let mut calls = JoinSet::new();
    for n in 0..1_000 {
        let call = pair.client.wait(n).timeout(Duration::from_secs(60));
        calls.spawn(async move { (n, call.await) });
    }
    eventually("all are running at once", SOON, || {
        (servers.iter().map(Inside::started).sum::<u32>() == 1_000).then_some(())
    })
    .await;
    assert_eq!(pair.broker.in_flight(), 1_000);
    for inside in &servers {
        assert!(inside.started() > 100, "the load is shared: {}", inside.started());
        inside.gate.add_permits(1_000);
    }
    let mut answered = 0;
    while let Some(ended) = calls.join_next().await {
        let (n, answer) = ended.unwrap();
        assert_eq!(answer.unwrap(), n);
        answered += 1;
    }
    assert_eq!(answered, 1_000);
    assert_eq!((pair.broker.in_flight(), pair.broker.unclaimed_replies()), (0, 0));
    for server in more {
        server.shutdown().await.unwrap();
    }
    pair.server.shutdown().await.unwrap();
}

async fn a_dropped_call_leaves_nothing_behind(broker: Broker) {
    let pair = Pair::new(broker).await;
    let call = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    assert_eq!(pair.broker.in_flight(), 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(pair.broker.in_flight(), 0);
    pair.inside.gate.add_permits(1);
    pair.server.shutdown().await.unwrap();
}

async fn a_call_that_is_never_polled_sends_nothing(broker: Broker) {
    let pair = Pair::new(broker).await;
    drop(pair.client.add(1, 2));
    assert_eq!(pair.client.add(3, 4).await.unwrap(), 7);
    assert_eq!(pair.inside.started(), 1);
    pair.server.shutdown().await.unwrap();
}

async fn a_oneway_call_ends_with_its_confirmation(broker: Broker) {
    let pair = Pair::new(broker).await;
    pair.client.note("first".into()).await.unwrap();
    pair.inside.has_started(1).await;
    let server = &pair.server;
    eventually("the reply had no receiver", SOON, || (server.stats().unasked == 1).then_some(()))
        .await;
    assert_eq!(pair.broker.unclaimed_replies(), 0);
    pair.server.shutdown().await.unwrap();
}

async fn a_call_may_be_sent_without_waiting(broker: Broker) {
    let pair = Pair::new(broker).await;
    pair.client.wait(1).send().await.unwrap();
    pair.inside.has_started(1).await;
    assert_eq!(pair.broker.in_flight(), 0);
    pair.inside.gate.add_permits(1);
    pair.server.shutdown().await.unwrap();
}

async fn headers_and_the_deadline_travel(broker: Broker) {
    let pair = Pair::new(broker).await;
    let call = pair.client.seen().timeout(Duration::from_secs(5));
    let call = call.header("tenant", "a").header("tenant", "b").header("empty", "");
    let seen = call.await.unwrap();
    let headers = [("empty".to_owned(), String::new()), ("tenant".to_owned(), "b".to_owned())];
    let mut got = seen.headers;
    got.sort();
    assert_eq!(got, headers);
    let left = seen.left.unwrap();
    assert!(left > Duration::from_secs(3) && left <= Duration::from_secs(5), "{left:?}");
    assert!(seen.has_correlation_id && !seen.redelivered);
    pair.server.shutdown().await.unwrap();
}

async fn a_reserved_header_fails_the_call(broker: Broker) {
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    let huge = "x".repeat(20_000);
    let reserved = [("rpc-fault", "x"), ("CC", "x"), ("BCC", "x")];
    for (name, value) in reserved.into_iter().chain([("", "x"), (&huge, "x"), ("x", &huge)]) {
        let ended = client.add(1, 2).header(name, value).await;
        assert_ended!(ended, Err(CallError::Encode(_)));
    }
    let untyped = UntypedClient::new(&broker, unique("nobody"));
    for (name, value) in reserved {
        let ended = untyped.call("add", "[1, 2]").header(name, value).await;
        assert_ended!(ended, Err(CallError::Encode(_)));
    }
}

async fn headers_that_only_look_like_routing_travel(broker: Broker) {
    let pair = Pair::new(broker).await;
    // Sorted, as RabbitMQ 4 delivers them.
    let sent = ["CC ", "CCC", "Cc", "bcc"];
    let call = sent.iter().fold(pair.client.seen(), |call, name| call.header(*name, "x"));
    let seen = call.await.unwrap();
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, sent);
    pair.server.shutdown().await.unwrap();
}

/// A call that was polled once and has reached its server.
async fn polled(pair: &Pair, n: u32) -> Call<u32> {
    let started = pair.inside.started();
    let mut call = pair.client.wait(n);
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx))).await.is_pending());
    pair.inside.has_started(started + 1).await;
    call
}

type Change = fn(Call<u32>) -> Call<u32>;

async fn a_polled_call_cannot_be_changed(broker: Broker) {
    let pair = Pair::new(broker).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    let changes: [(&str, Change); 6] = [
        ("timeout", |call| call.timeout(SOON)),
        ("deadline", |call| call.deadline(Instant::now())),
        ("header", |call| call.header("tenant", "a").header("CC", "x")),
        ("priority", |call| call.priority(1).timeout(SOON)),
        ("persistent", Call::persistent),
        ("idempotent", Call::idempotent),
    ];
    for (name, change) in changes {
        let ended = change(polled(&pair, 1).await).await;
        let CallError::ChangedTooLate { what, may_have_run: true } = ended.unwrap_err() else {
            panic!("{name} is no other failure");
        };
        assert_eq!(what, name);
    }
    // `send` is a change too, also after another change and after the end of the call.
    for sent in [polled(&pair, 1).await, polled(&pair, 1).await.persistent()] {
        let ended = sent.send().await;
        assert_ended!(ended, Err(CallError::ChangedTooLate { may_have_run: true, .. }));
    }
    let mut ended = pair.client.add(1, 2);
    assert_eq!((&mut ended).await.unwrap(), 3);
    let error = ended.send().await.unwrap_err();
    assert!(error.to_string().starts_with("`send` came after the call had been polled"), "{error}");
    assert!(!error.is_retryable());

    let untyped = UntypedClient::new(&pair.broker, &*pair.queue);
    let mut call = untyped.call("wait", "[1]");
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx))).await.is_pending());
    assert_ended!(call.send().await, Err(CallError::ChangedTooLate { what: "send", .. }));
    eventually("nothing is left behind", SOON, || (pair.broker.in_flight() == 0).then_some(()))
        .await;
    drop(pair.server);
}

/// Calls [`Sample`](crate::brokers::Sample) from its own handler.
#[rpc_service]
trait Relay {
    async fn relay(&self) -> (Option<Duration>, Vec<(String, String)>);
}

struct To(SampleClient);

impl Relay for To {
    async fn relay(&self) -> (Option<Duration>, Vec<(String, String)>) {
        let context = Context::current().unwrap();
        let client = self.0.clone();
        // The context has to be passed to a spawned task.
        let seen = tokio::spawn(context.scope(async move { client.seen().await.unwrap() }));
        let seen = seen.await.unwrap();
        (seen.left, seen.headers)
    }
}

async fn nested_calls_inherit_the_deadline_and_the_trace(broker: Broker) {
    let pair = Pair::new(broker).await;
    let name = unique("relay");
    let relay = Server::builder(&pair.broker)
        .service_on(queue(&name), RelayServer::new(To(pair.client.clone())))
        .start()
        .await
        .unwrap();
    let client = RelayClient::builder(&pair.broker).queue(&name).build();
    let call = client.relay().timeout(Duration::from_secs(3));
    let call = call.header("traceparent", "00-1-2-01").header("tenant", "not passed on");
    let (left, headers) = call.await.unwrap();
    assert!(left.unwrap() <= Duration::from_secs(3), "{left:?}");
    assert_eq!(headers, [("traceparent".to_owned(), "00-1-2-01".to_owned())]);
    relay.shutdown().await.unwrap();
    pair.server.shutdown().await.unwrap();
}

async fn a_blocking_method_does_not_block_the_others(broker: Broker) {
    let pair = Pair::new(broker).await;
    let blocked: Vec<_> = (0..8).map(|n| tokio::spawn(pair.client.block(n))).collect();
    pair.inside.has_started(8).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.inside.gate.add_permits(8);
    for (n, call) in blocked.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap() as usize, n);
    }
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn more_calls_than_allowed_are_refused() {
    let url = rpc_tests::Rabbit::shared().await.url();
    let broker = Broker::builder(url).max_in_flight(1).connect().await.unwrap();
    let pair = Pair::new(broker).await;
    let first = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let fault = refusal(pair.client.add(1, 2).await);
    assert_eq!((fault.kind(), fault.is_retryable()), (FaultKind::Overloaded, true));
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn a_closed_broker_says_so(broker: Broker) {
    let pair = Pair::new(broker).await;
    let call = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    pair.broker.close().await;
    assert_ended!(call.await.unwrap(), Err(CallError::ConnectionLost { may_have_run: true }));
    let ended = pair.client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::Broker(error)) if error.to_string().contains("closed"));
    let ending = pair.server.shutdown();
    tokio::time::timeout(SOON, ending).await.expect("a server ends with its broker").unwrap();
}

/// A client is cheap to clone and can be shared by many tasks without a deadlock.
#[tokio::test]
async fn clones_of_a_client_share_one_callback_queue() {
    let pair = Pair::new(rabbitmq().await).await;
    let client = Arc::new(pair.client.clone());
    let mut calls = JoinSet::new();
    for n in 0..100 {
        let client = client.clone();
        calls.spawn(async move { client.add(n, 1).await.unwrap() == n + 1 });
    }
    assert!(calls.join_all().await.into_iter().all(|right| right));
    pair.server.shutdown().await.unwrap();
}
