//! Clients that fail at once without a server.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use rpc_runtime::{Broker, CallError, Server, WhenUnserved};
use rpc_tests::{Node, Peer, QueueSpec, Rabbit, eventually_async, unique};
use tokio::time::{Instant, sleep};

use crate::brokers::{
    Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, on_both_brokers, queue,
};

/// How long a queue may be without a server before calls fail.
const MOMENT: Duration = Duration::from_millis(500);

/// How long after a reply the queue is not checked for a server.
const AFTER_AN_ANSWER: Duration = Duration::from_millis(50);

fn failing(broker: &Broker, queue: &str) -> SampleClient {
    SampleClient::builder(broker).queue(queue).when_unserved(WhenUnserved::Fail).build()
}

on_both_brokers! {
    a_call_fails_when_nobody_consumes_its_queue;
    a_call_fails_when_there_is_no_queue;
    a_call_reaches_a_server_starting_soon;
    a_sent_request_waits_for_another_server;
    one_way_requests_need_no_server;
}

/// A queue whose server has ended.
async fn left(broker: &Broker) -> String {
    let pair = Pair::new(broker.clone()).await;
    pair.server.shutdown().await.unwrap();
    pair.queue
}

async fn waiting(broker: &Broker, queue: &str) -> u32 {
    broker.queue_state(queue).await.unwrap().unwrap().messages
}

async fn a_call_fails_when_nobody_consumes_its_queue(broker: Broker) {
    let queue = left(&broker).await;
    let client = failing(&broker, &queue);
    let started = Instant::now();
    let ended = client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::NoServer));
    let took = started.elapsed();
    assert!((MOMENT..SOON / 2).contains(&took), "{took:?}");
    // From now on the client remembers it.
    let ended = client.add(1, 2).timeout(MOMENT / 2).await;
    assert_ended!(ended, Err(CallError::NoServer));
    assert_eq!(waiting(&broker, &queue).await, 0, "nothing was sent");

    let patient = SampleClient::builder(&broker).queue(&queue).build();
    let ended = patient.add(1, 2).timeout(Duration::from_millis(100)).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
}

async fn a_call_fails_when_there_is_no_queue(broker: Broker) {
    let ended = failing(&broker, &unique("nowhere")).add(1, 2).await;
    assert_ended!(ended, Err(CallError::NoServer));
}

async fn serve(broker: &Broker, name: &str) -> (Server, Inside) {
    let inside = Inside::new();
    let server = Server::builder(broker)
        .service_on(queue(name), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    (server, inside)
}

async fn a_call_reaches_a_server_starting_soon(broker: Broker) {
    let queue = left(&broker).await;
    let client = failing(&broker, &queue);
    let call = tokio::spawn(client.add(1, 2));
    sleep(MOMENT / 5).await;
    let (server, inside) = serve(&broker, &queue).await;
    assert_eq!(call.await.unwrap().unwrap(), 3);
    server.shutdown().await.unwrap();

    sleep(AFTER_AN_ANSWER).await;
    assert_ended!(client.add(1, 2).await, Err(CallError::NoServer));
    let (server, again) = serve(&broker, &queue).await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    assert_eq!((inside.started(), again.started()), (1, 1), "the one that failed has not run");
    server.shutdown().await.unwrap();
}

async fn a_sent_request_waits_for_another_server(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let client = failing(&broker, &pair.queue);
    let call = tokio::spawn(client.wait(7));
    pair.inside.has_started(1).await;
    // Its server dies with it. The request has run in part, so `NoServer` would be wrong.
    drop(pair.server);
    let gone = async || {
        let state = broker.queue_state(&pair.queue).await.unwrap().unwrap();
        (state.consumers == 0 && state.messages == 1).then_some(())
    };
    eventually_async("the request is back in its queue", SOON, gone).await;
    assert_ended!(client.add(1, 2).await, Err(CallError::NoServer));
    assert!(!call.is_finished());
    let (server, inside) = serve(&broker, &pair.queue).await;
    inside.gate.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap(), 7);
    server.shutdown().await.unwrap();
}

async fn one_way_requests_need_no_server(broker: Broker) {
    let queue = left(&broker).await;
    failing(&broker, &queue).note("for later".to_owned()).await.unwrap();
    let sent = async || (waiting(&broker, &queue).await == 1).then_some(());
    eventually_async("it waits", SOON, sent).await;
}

#[tokio::test(start_paused = true)]
async fn many_calls_fail_at_the_same_time() {
    let broker = Broker::in_memory();
    let queue = left(&broker).await;
    let client = failing(&broker, &queue);
    let started = Instant::now();
    let calls: Vec<_> = (0..1_000).map(|n| tokio::spawn(client.add(n, 1))).collect();
    for call in calls {
        assert_ended!(call.await.unwrap(), Err(CallError::NoServer));
    }
    let took = started.elapsed();
    assert!(took < MOMENT + Duration::from_millis(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_reports_no_server() {
    let broker = Broker::in_memory();
    let queue = left(&broker).await;
    let ended = failing(&broker, &queue).add(1, 2).timeout(MOMENT / 2).await;
    assert_ended!(ended, Err(CallError::NoServer));
}

/// RabbitMQ shows every user the number of consumers. If it ever refuses, the request is sent as usual.
#[tokio::test]
async fn a_user_without_queue_permission_is_served() {
    let node = Node::start().await;
    node.add_user(
        "caller",
        "secret",
        ["^amq\\.gen-", "^(amq\\.gen-.*|amq\\.default)$", "^amq\\.gen-"],
    )
    .await;
    let serving = Broker::connect(&node.url()).await.unwrap();
    let pair = Pair::new(serving).await;
    let calling = Broker::connect(&node.url_for("caller", "secret", "%2f")).await.unwrap();
    assert_eq!(failing(&calling, &pair.queue).add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
    sleep(AFTER_AN_ANSWER).await;
    let ended = failing(&calling, &pair.queue).add(1, 2).await;
    assert_ended!(ended, Err(CallError::NoServer));
}

/// The consumer of a peer counts as a server.
#[tokio::test]
async fn a_consumer_of_another_program_counts() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let peer = Peer::connect(url).await.unwrap();
    let queue = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;
    let consuming = peer.consume(&queue).await.unwrap();
    let call = failing(&broker, &queue).add(1, 2).timeout(Duration::from_secs(1));
    let call = tokio::spawn(call);
    assert!(peer.next(&consuming, SOON).await.unwrap().is_some(), "it was sent");
    assert_ended!(call.await.unwrap(), Err(CallError::DeadlineExceeded { may_have_run: true }));
}

/// As in a `select!` with a call in another branch.
#[tokio::test]
async fn an_unpolled_call_delays_no_other() {
    let broker = Broker::connect(Rabbit::shared().await.url()).await.unwrap();
    let pair = Pair::new(broker.clone()).await;
    let client = failing(&broker, &pair.queue);
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    sleep(AFTER_AN_ANSWER).await;
    // It has begun to check the queue.
    let mut left = pin!(client.add(3, 4));
    let polled = poll_fn(|cx| Poll::Ready(left.as_mut().poll(cx).is_pending()));
    assert!(polled.await);
    assert_eq!(client.add(5, 6).timeout(SOON / 2).await.unwrap(), 11);
    assert_eq!(left.await.unwrap(), 7);
    pair.server.shutdown().await.unwrap();
}

/// RabbitMQ reports no consumers for a quorum queue whose leader does not answer at once.
#[tokio::test]
async fn a_busy_quorum_queue_still_has_its_server() {
    let node = Node::start().await;
    let broker = Broker::connect(&node.url()).await.unwrap();
    let (name, inside) = (unique("busy"), Inside::new());
    let server = Server::builder(&broker)
        .service_on(queue(&name).quorum(), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    let client = failing(&broker, &name);
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    sleep(AFTER_AN_ANSWER).await;
    let suspend = format!(
        "Leader = whereis(list_to_atom(\"%2F_{name}\")), sys:suspend(Leader), \
         spawn(fun() -> timer:sleep(2000), sys:resume(Leader) end), ok."
    );
    node.eval(&suspend).await;
    assert_eq!(client.add(3, 4).await.unwrap(), 7);
    server.shutdown().await.unwrap();
}
