//! What the RPC tutorial leaves open: no server, how long to wait, failures in the server, malformed messages.
//! (Malformed ones: see `wire_requests`.)

use std::time::Duration;

use rpc_runtime::{Broker, CallError, Encoding, FaultKind, Queue};
use rpc_tests::{eventually, unique};
use tokio::time::{Instant, timeout};

use crate::brokers::{
    DivisionError, Pair, SOON, SampleClient, assert_ended, on_both_brokers, refusal,
};

on_both_brokers! {
    a_missing_queue_is_no_server_at_once;
    a_queue_without_consumers_times_out;
    an_expired_request_is_not_started;
    a_late_reply_is_dropped_and_counted;
    a_methods_own_error_arrives_typed;
    a_panic_is_answered_and_serving_continues;
    a_full_queue_is_overloaded_and_retryable;
    limits_refuse_requests_on_both_sides;
    every_encoding_carries_every_method_it_can;
}

async fn a_missing_queue_is_no_server_at_once(broker: Broker) {
    let client = SampleClient::builder(&broker).queue(unique("nobody")).build();
    let call = client.add(1, 2).timeout(Duration::from_secs(60));
    let ended = timeout(SOON, call).await.expect("it does not wait for its deadline");
    assert_ended!(ended, Err(CallError::NoServer));
    assert_ended!(client.note("x".into()).await, Err(CallError::NoServer));
    assert_ended!(client.add(1, 2).send().await, Err(CallError::NoServer));
    assert!(!ended.unwrap_err().may_have_run());
}

async fn a_queue_without_consumers_times_out(broker: Broker) {
    let pair = Pair::new(broker).await;
    pair.server.shutdown().await.unwrap();
    let started = Instant::now();
    let ended = pair.client.add(1, 2).timeout(Duration::from_millis(100)).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(pair.broker.in_flight(), 0);
}

async fn an_expired_request_is_not_started(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(1)).await;
    let first = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let hurried = pair.client.wait(2).timeout(Duration::from_millis(50)).await;
    assert_ended!(hurried, Err(CallError::DeadlineExceeded { .. }));
    // The broker counts from its arrival there, which was a little later. Time itself is what is waited for.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let third = tokio::spawn(pair.client.wait(3));
    pair.inside.gate.add_permits(10);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(third.await.unwrap().unwrap(), 3);
    assert_eq!(pair.inside.started(), 2, "the second was never run");
    pair.server.shutdown().await.unwrap();
}

async fn a_late_reply_is_dropped_and_counted(broker: Broker) {
    let pair = Pair::new(broker).await;
    let call = pair.client.wait(1).timeout(Duration::from_millis(100));
    assert_ended!(call.await, Err(CallError::DeadlineExceeded { may_have_run: true }));
    pair.inside.has_started(1).await;
    pair.inside.gate.add_permits(1);
    let broker = &pair.broker;
    eventually("the reply came", SOON, || (broker.unclaimed_replies() == 1).then_some(())).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn a_methods_own_error_arrives_typed(broker: Broker) {
    let pair = Pair::new(broker).await;
    assert_eq!(pair.client.divide(7, 2).await.unwrap(), 3);
    let error = pair.client.divide(7, 0).await.unwrap_err();
    assert_eq!(error.application(), Some(&DivisionError::ByZero { dividend: 7 }));
    assert_eq!(error.to_string(), "7 cannot be divided by zero");
    pair.server.shutdown().await.unwrap();
}

async fn a_panic_is_answered_and_serving_continues(broker: Broker) {
    let pair = Pair::with(broker, |server| server.concurrency(1)).await;
    let secret = "the password is swordfish";
    for _ in 0..3 {
        let error = pair.client.explode(secret.into()).await.unwrap_err();
        assert_ended!(error, CallError::Panicked);
        assert!(!format!("{error:?} {error}").contains("swordfish"));
        assert_ended!(pair.client.explode_blocking().await, Err(CallError::Panicked));
    }
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.server.stats().panics, 6);
    pair.server.shutdown().await.unwrap();
}

async fn a_full_queue_is_overloaded_and_retryable(broker: Broker) {
    let name = unique("full");
    let queue = Queue::named(&name)
        .max_length(1)
        .overflow(rpc_runtime::Overflow::RejectPublish)
        .argument("x-expires", 60_000);
    let pair = Pair::new(broker).await;
    let inside = pair.inside.clone();
    let server = rpc_runtime::Server::builder(&pair.broker)
        .service_on(queue, crate::brokers::SampleServer::new(inside.clone()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&pair.broker).queue(&name).build();
    let running = tokio::spawn(client.wait(1));
    inside.has_started(1).await;
    client.wait(2).send().await.unwrap();
    let ended = client.wait(3).await;
    assert!(ended.as_ref().unwrap_err().is_retryable(), "{ended:?}");
    let fault = refusal(ended);
    assert_eq!(fault.kind(), FaultKind::Overloaded);
    assert!(fault.message().contains(&name), "{fault}");
    inside.gate.add_permits(10);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    server.shutdown().await.unwrap();
}

async fn limits_refuse_requests_on_both_sides(broker: Broker) {
    let pair = Pair::with(broker, |server| server.max_request(1_000).max_reply(500)).await;
    let ours = SampleClient::builder(&pair.broker).queue(&pair.queue).max_request(2_000).build();

    let ended = ours.echo(vec![0; 3_000]).await;
    assert_ended!(ended, Err(CallError::TooLarge(too)) if too.limit == 2_000 && too.size > 3_000);

    let theirs = refusal(ours.echo(vec![0; 1_500]).await);
    assert_eq!((theirs.kind(), theirs.may_have_run()), (FaultKind::TooLarge, false));
    assert_eq!(pair.inside.started(), 0);

    let reply = refusal(ours.echo(vec![0; 700]).await);
    assert_eq!((reply.kind(), reply.may_have_run()), (FaultKind::TooLarge, true));
    assert_eq!(pair.inside.started(), 1);

    assert_eq!(ours.echo(vec![7; 400]).await.unwrap(), vec![7; 400]);
    pair.server.shutdown().await.unwrap();
}

async fn every_encoding_carries_every_method_it_can(broker: Broker) {
    let pair = Pair::new(broker).await;
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let client =
            SampleClient::builder(&pair.broker).queue(&pair.queue).encoding(encoding).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        assert_eq!(client.echo(vec![0, 255]).await.unwrap(), [0, 255]);
        let error = client.divide(1, 0).await.unwrap_err();
        assert_eq!(error.application(), Some(&DivisionError::ByZero { dividend: 1 }));
        client.note("x".into()).await.unwrap();
        assert_eq!(client.seen().await.unwrap().method, "seen");
    }
    let text =
        SampleClient::builder(&pair.broker).queue(&pair.queue).encoding(Encoding::Text).build();
    pair.inside.gate.add_permits(1);
    assert_eq!(text.wait(30).await.unwrap(), 30);
    text.note("plain".into()).await.unwrap();
    assert_ended!(text.add(1, 2).await, Err(CallError::Encode(_)));
    // What is structured cannot be written as text; the method has run by then.
    let fault = refusal(text.seen().await);
    assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::UnencodableReply, true));
    pair.server.shutdown().await.unwrap();
}
