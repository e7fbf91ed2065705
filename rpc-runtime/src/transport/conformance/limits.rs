//! Limits and declarations of queues.

use super::*;

pub(super) async fn a_full_queue_rejects(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().max_length(1).overflow(Overflow::RejectPublish);
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(fixture.request("waiting")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(fixture.request("too much")).await, PublishOutcome::Rejected);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "waiting");
}

pub(super) async fn without_confirms_a_full_queue_drops_unseen(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().max_length(1).overflow(Overflow::RejectPublish);
    let mut worker = fixture.worker(1).await;
    let options = CallerOptions { confirms: false, ..CallerOptions::default() };
    let mut caller = fixture.caller_with(options).await;
    assert_eq!(caller.outcome_of(fixture.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    for body in ["waiting", "too much"] {
        assert_eq!(caller.outcome_of(fixture.request(body)).await, PublishOutcome::Accepted);
    }
    worker.channel.finish(held.tag, None);
    let waiting = worker.next().await;
    worker.channel.finish(waiting.tag, None);
    worker.expect_nothing().await;
}

pub(super) async fn a_full_queue_that_drops_keeps_the_newest(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().max_length(1).overflow(Overflow::DropHead);
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(fixture.request("old")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(fixture.request("new")).await, PublishOutcome::Accepted);
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "new");
}

pub(super) async fn an_expired_request_is_not_delivered(fixture: Fixture) {
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    let mut hurried = fixture.request("hurried");
    hurried.properties.expiration = Some(Expiration::Milliseconds(20));
    assert_eq!(caller.outcome_of(hurried).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(fixture.request("patient")).await, PublishOutcome::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    assert_eq!(text(&worker.next().await), "patient");
}

pub(super) async fn the_ttl_of_a_queue_expires_requests_too(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().message_ttl(Duration::from_millis(20));
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("held")).await, PublishOutcome::Accepted);
    let held = worker.next().await;
    assert_eq!(caller.outcome_of(fixture.request("forgotten")).await, PublishOutcome::Accepted);
    expire(Duration::from_millis(20)).await;
    worker.channel.finish(held.tag, None);
    worker.expect_nothing().await;
}

/// The test depends on time, so it has to sleep.
async fn expire(ttl: Duration) {
    sleep(ttl * 3).await;
}

pub(super) async fn a_queue_reports_its_state(fixture: Fixture) {
    let name = fixture.queue.name();
    assert_eq!(fixture.connection.queue_state(name).await.unwrap(), None);
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    for body in ["held", "waits", "waits, too"] {
        assert_eq!(caller.outcome_of(fixture.request(body)).await, PublishOutcome::Accepted);
    }
    let held = worker.next().await;
    let expected = Some(QueueState { messages: 2, consumers: 1 });
    assert_eq!(fixture.connection.queue_state(name).await.unwrap(), expected);
    worker.channel.finish(held.tag, None);
}

pub(super) async fn a_queue_declared_differently_is_named(fixture: Fixture) {
    let _worker = fixture.worker(1).await;
    let mut options = fixture.options(1);
    options.queue = options.queue.max_length(7);
    let error = open_worker(&*fixture.connection, options).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::DeclaredDifferently);
    let text = error.to_string();
    assert!(text.contains(fixture.queue.name()) && text.contains("x-max-length"), "{text}");
}

pub(super) async fn a_passive_queue_has_to_exist(fixture: Fixture) {
    let mut options = fixture.options(1);
    options.queue = Queue::named(fixture.queue.name()).passive();
    let error = open_worker(&*fixture.connection, options.clone()).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(fixture.queue.name()), "{error}");

    let owner = fixture.worker(1).await;
    owner.channel.close().await;
    let mut joined = open_worker(&*fixture.connection, options).await.unwrap();
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("a")).await, PublishOutcome::Accepted);
    assert_eq!(text(&joined.next().await), "a");
}
