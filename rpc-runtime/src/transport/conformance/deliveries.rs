//! Deliveries, acknowledgements and requeued requests.

use super::*;

pub(super) async fn a_message_reaches_one_of_the_competing_consumers(fixture: Fixture) {
    let (mut one, mut two) = (fixture.worker(10).await, fixture.worker(10).await);
    let caller = fixture.caller().await;
    for body in ["a", "b", "c", "d"] {
        caller.publish(fixture.request(body));
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

pub(super) async fn requests_are_received_in_batches_in_order(fixture: Fixture) {
    let (caller, mut worker) = (fixture.caller().await, fixture.worker(10).await);
    for body in ["a", "b", "c", "d", "e"] {
        caller.publish(fixture.request(body));
    }
    let mut received = Vec::new();
    while received.len() < 5 {
        let before = received.len();
        let batch = poll_fn(|cx| worker.deliveries.poll_take(&mut received, 2, cx));
        assert!(timeout(SOON, batch).await.expect("a delivery"));
        assert!((1..=2).contains(&(received.len() - before)));
    }
    let bodies: Vec<&str> = received.iter().map(|delivery| text(&delivery.message)).collect();
    assert_eq!(bodies, ["a", "b", "c", "d", "e"]);
}

pub(super) async fn a_consumer_obeys_its_prefetch(fixture: Fixture) {
    let mut worker = fixture.worker(2).await;
    let caller = fixture.caller().await;
    for body in ["a", "b", "c"] {
        caller.publish(fixture.request(body));
    }
    let (first, second) = (worker.next().await, worker.next().await);
    worker.expect_nothing().await;
    worker.channel.finish(second.tag, None);
    assert_eq!(text(&worker.next().await), "c");
    worker.expect_nothing().await;
    worker.channel.finish(first.tag, None);
}

pub(super) async fn an_unacknowledged_message_is_redelivered(fixture: Fixture) {
    let mut first = fixture.worker(10).await;
    let caller = fixture.caller().await;
    caller.publish(fixture.request("answered"));
    caller.publish(fixture.request("held"));
    let answered = first.next().await;
    first.channel.finish(answered.tag, None);
    assert_eq!(text(&first.next().await), "held");
    first.channel.close().await;
    drop(first);

    let mut second = fixture.worker(10).await;
    let again = second.next().await;
    assert_eq!((text(&again), again.redelivered), ("held", true));
    second.channel.finish(again.tag, None);
    second.expect_nothing().await;
}

pub(super) async fn a_requeued_message_is_redelivered(fixture: Fixture) {
    let mut worker = fixture.worker(10).await;
    let caller = fixture.caller().await;
    caller.publish(fixture.request("a"));
    let delivery = worker.next().await;
    worker.channel.requeue(delivery.tag);
    let again = worker.next().await;
    assert_eq!((text(&again), again.redelivered), ("a", true));
    worker.channel.finish(again.tag, None);
}

pub(super) async fn stopping_loses_no_request_and_accepts_no_more(fixture: Fixture) {
    let mut first = fixture.worker(10).await;
    let mut caller = fixture.caller().await;
    for body in ["a", "b"] {
        assert_eq!(caller.outcome_of(fixture.request(body)).await, PublishOutcome::Accepted);
    }
    let a = first.next().await;
    first.channel.stop().await;
    assert_eq!(caller.outcome_of(fixture.request("c")).await, PublishOutcome::Accepted);
    // A request that had arrived is still received. Then deliveries end.
    let b = first.next().await;
    assert_eq!(text(&b), "b");
    assert!(timeout(SOON, first.deliveries.next()).await.unwrap().is_none());
    first.channel.finish(a.tag, None);
    first.channel.requeue(b.tag);
    first.channel.close().await;

    let mut second = fixture.worker(10).await;
    let mut left = [second.next().await, second.next().await];
    left.sort_by_key(|delivery| delivery.body.clone());
    assert_eq!(
        [(text(&left[0]), left[0].redelivered), (text(&left[1]), left[1].redelivered)],
        [("b", true), ("c", false)]
    );
}

pub(super) async fn a_lost_connection_ends_deliveries_and_callers(fixture: Fixture) {
    let mut worker = fixture.worker(10).await;
    let caller = fixture.caller().await;
    let (connection_gone, caller_gone) = (fixture.connection.closed(), caller.channel.closed());
    fixture.connection.close().await;
    assert!(timeout(SOON, worker.deliveries.next()).await.unwrap().is_none());
    assert!(!timeout(SOON, connection_gone).await.unwrap().is_permanent());
    timeout(SOON, caller_gone).await.unwrap();
    assert!(caller.channel.publish(Uuid::new_v4(), fixture.request("a")).is_err());
}

pub(super) async fn higher_priorities_come_first(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().max_priority(5);
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    let mut held = None;
    for (body, priority) in [("held", 0), ("low", 1), ("high", 4), ("also low", 1)] {
        let mut request = fixture.request(body);
        request.properties.priority = Some(priority);
        assert_eq!(caller.outcome_of(request).await, PublishOutcome::Accepted);
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

pub(super) async fn a_quorum_queue_obeys_its_delivery_limit(mut fixture: Fixture) {
    fixture.queue = fixture.queue.clone().quorum().delivery_limit(2);
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("poison")).await, PublishOutcome::Accepted);
    for attempt in 0..3 {
        let delivery = worker.next().await;
        assert_eq!((text(&delivery), delivery.redelivered), ("poison", attempt > 0));
        worker.channel.requeue(delivery.tag);
    }
    worker.expect_nothing().await;
}
