//! What a queue holds, and how it is declared.

use super::*;

pub(super) async fn a_full_queue_rejects(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_length(1).overflow(Overflow::RejectPublish);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(bench.request("waiting")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(bench.request("too much")).await, PublishOutcome::Rejected);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "waiting");
}

pub(super) async fn without_confirms_a_full_queue_drops_unseen(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_length(1).overflow(Overflow::RejectPublish);
    let mut worker = bench.worker(1).await;
    let options = CallerOptions { confirms: false, ..CallerOptions::default() };
    let mut caller = bench.caller_with(options).await;
    assert_eq!(caller.outcome_of(bench.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    for body in ["waiting", "too much"] {
        assert_eq!(caller.outcome_of(bench.request(body)).await, PublishOutcome::Accepted);
    }
    worker.channel.finish(held.tag, None);
    let waiting = worker.next().await;
    worker.channel.finish(waiting.tag, None);
    worker.expect_nothing().await;
}

pub(super) async fn a_full_queue_that_drops_keeps_the_newest(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_length(1).overflow(Overflow::DropHead);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(bench.request("old")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(bench.request("new")).await, PublishOutcome::Accepted);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "new");
}

pub(super) async fn an_expired_request_is_not_delivered(bench: Bench) {
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    let mut hurried = bench.request("hurried");
    hurried.properties.expiration = Some(Expiration::Milliseconds(20));
    assert_eq!(caller.outcome_of(hurried).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(bench.request("patient")).await, PublishOutcome::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "patient");
}

pub(super) async fn the_ttl_of_a_queue_expires_requests_too(mut bench: Bench) {
    bench.queue = bench.queue.clone().message_ttl(Duration::from_millis(20));
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(bench.request("forgotten")).await, PublishOutcome::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    worker.expect_nothing().await;
}

/// Time itself is what is waited for here.
async fn expire(ttl: Duration) {
    sleep(ttl * 3).await;
}

pub(super) async fn a_queue_says_how_it_stands(bench: Bench) {
    let name = bench.queue.name();
    assert_eq!(bench.connection.queue_state(name).await.unwrap(), None);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    for body in ["held", "waits", "waits, too"] {
        assert_eq!(caller.outcome_of(bench.request(body)).await, PublishOutcome::Accepted);
    }
    let held = worker.next().await;
    let expected = Some(QueueState { messages: 2, consumers: 1 });
    assert_eq!(bench.connection.queue_state(name).await.unwrap(), expected);
    worker.channel.finish(held.tag, None);
}

pub(super) async fn a_queue_declared_differently_is_named(bench: Bench) {
    let _worker = bench.worker(1).await;
    let mut options = bench.options(1);
    options.queue = options.queue.max_length(7);
    let error = open_worker(&*bench.connection, options).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::DeclaredDifferently);
    let said = error.to_string();
    assert!(said.contains(bench.queue.name()) && said.contains("x-max-length"), "{said}");
}

pub(super) async fn a_passive_queue_has_to_exist_and_is_taken_as_it_is(bench: Bench) {
    let mut options = bench.options(1);
    options.queue = Queue::named(bench.queue.name()).passive();
    let error = open_worker(&*bench.connection, options.clone()).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(bench.queue.name()), "{error}");

    let owner = bench.worker(1).await;
    owner.channel.close().await;
    let mut joined = open_worker(&*bench.connection, options).await.unwrap();
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("a")).await, PublishOutcome::Accepted);
    assert_eq!(text(&joined.next().await), "a");
}
