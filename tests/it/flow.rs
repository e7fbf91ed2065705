//! More calls than the limits allow: at the caller, at the server, for one method; and retries.

use rpc_runtime::{Broker, BrokerErrorKind, FaultKind, Overflow, Server};
use rpc_tests::{eventually, unique};

use crate::brokers::{
    Inside, Pair, SOON, SampleClient, SampleServer, on_both_brokers, queue, refusal,
};

on_both_brokers! {
    a_full_server_sheds_requests;
    a_method_limit_leaves_room_for_others;
    a_limit_for_an_unknown_method_fails;
    an_overloaded_idempotent_call_is_retried;
    non_idempotent_calls_are_not_retried;
    requests_run_by_priority;
}

async fn a_full_server_sheds_requests(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(2).shed_load()).await;
    let running: Vec<_> = (0..2).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    pair.inside.has_started(2).await;
    let fault = refusal(pair.client.wait(3).await);
    assert_eq!((fault.kind(), fault.is_retryable()), (FaultKind::Overloaded, true));
    pair.inside.gate.add_permits(2);
    for call in running {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn a_method_limit_leaves_room_for_others(broker: Broker) {
    let limited = |server: rpc_runtime::ServerBuilder| {
        server.concurrency(4).method_concurrency("Sample", "wait", 2)
    };
    let pair = Pair::with(broker, limited).await;
    let running: Vec<_> = (0..2).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    pair.inside.has_started(2).await;
    let fault = refusal(pair.client.wait(3).await);
    assert_eq!(fault.kind(), FaultKind::Overloaded);
    assert!(fault.message().contains("Sample.wait"), "{fault}");
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.inside.gate.add_permits(3);
    for call in running {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pair.client.wait(4).await.unwrap(), 4);
    pair.server.shutdown().await.unwrap();
}

async fn a_limit_for_an_unknown_method_fails(broker: Broker) {
    let error = Server::builder(&broker)
        .service_on(queue(&unique("limit")), SampleServer::new(Inside::new()))
        .method_concurrency("Sample", "wiat", 2)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Misuse);
    assert!(error.to_string().contains("Sample.wiat"), "{error}");
}

async fn an_overloaded_idempotent_call_is_retried(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(1).shed_load()).await;
    let first = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let again = tokio::spawn(pair.client.again(2));
    let server = &pair.server;
    eventually("it was refused", SOON, || (server.stats().faults >= 1).then_some(())).await;
    pair.inside.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(again.await.unwrap().unwrap(), 2);
    pair.server.shutdown().await.unwrap();

    // A full queue is an overload too.
    let name = unique("full");
    let full = queue(&name).max_length(1).overflow(Overflow::RejectPublish);
    let inside = Inside::new();
    let server = Server::builder(&pair.broker)
        .service_on(full, SampleServer::new(inside.clone()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&pair.broker).queue(&name).build();
    let running = tokio::spawn(client.wait(1));
    inside.has_started(1).await;
    client.wait(2).send().await.unwrap();
    let again = tokio::spawn(client.again(3));
    assert_eq!(refusal(client.wait(4).await).kind(), FaultKind::Overloaded);
    inside.gate.add_permits(3);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    assert_eq!(again.await.unwrap().unwrap(), 3);
    server.shutdown().await.unwrap();
}

async fn non_idempotent_calls_are_not_retried(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(1).shed_load()).await;
    let first = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    for n in 0..5 {
        assert_eq!(refusal(pair.client.wait(n).await).kind(), FaultKind::Overloaded);
    }
    assert_eq!(pair.server.stats().faults, 5, "each was sent once");
    pair.inside.gate.add_permits(1);
    first.await.unwrap().unwrap();
    pair.server.shutdown().await.unwrap();
}

async fn requests_run_by_priority(broker: Broker) {
    let name = unique("priorities");
    let inside = Inside::new();
    let server = Server::builder(&broker)
        .service_on(queue(&name).max_priority(5), SampleServer::new(inside.clone()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&broker).queue(&name).build();
    let first = tokio::spawn(client.wait(1));
    inside.has_started(1).await;
    // Both are in the queue before the server consumes.
    client.note("low".into()).priority(1).await.unwrap();
    client.wait(2).priority(4).send().await.unwrap();
    inside.gate.add_permits(1);
    first.await.unwrap().unwrap();
    let running = &inside.running;
    eventually("the urgent one runs first", SOON, || {
        (running.load(std::sync::atomic::Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    assert_eq!(inside.started(), 2, "the other one waits");
    inside.gate.add_permits(1);
    inside.has_started(3).await;
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_broker_that_serves_owns_the_service() {
    let inside = Inside::new();
    let held = std::sync::Arc::downgrade(&inside.started);
    let client = {
        let broker = Broker::serving(SampleServer::new(inside));
        SampleClient::new(&broker)
    };
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    drop(client);
    eventually("nothing holds the service", SOON, || held.upgrade().is_none().then_some(())).await;
}
