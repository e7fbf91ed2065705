//! Who is delivered what, and what comes back.

use super::*;

pub(super) async fn a_message_reaches_one_of_the_competing_consumers(bench: Bench) {
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

pub(super) async fn requests_are_taken_in_runs_and_in_order(bench: Bench) {
    let (caller, mut worker) = (bench.caller().await, bench.worker(10).await);
    for body in ["a", "b", "c", "d", "e"] {
        caller.publish(bench.request(body));
    }
    let mut taken = Vec::new();
    while taken.len() < 5 {
        let before = taken.len();
        let run = poll_fn(|cx| worker.deliveries.poll_take(&mut taken, 2, cx));
        assert!(timeout(SOON, run).await.expect("a delivery"));
        assert!((1..=2).contains(&(taken.len() - before)));
    }
    let bodies: Vec<&str> = taken.iter().map(|delivery| text(&delivery.message)).collect();
    assert_eq!(bodies, ["a", "b", "c", "d", "e"]);
}

pub(super) async fn a_consumer_holds_no_more_than_its_prefetch(bench: Bench) {
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

pub(super) async fn an_unacknowledged_message_is_delivered_again_and_marked(bench: Bench) {
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

pub(super) async fn a_requeued_message_is_delivered_again_and_marked(bench: Bench) {
    let mut worker = bench.worker(10).await;
    let caller = bench.caller().await;
    caller.publish(bench.request("a"));
    let delivery = worker.next().await;
    worker.channel.requeue(delivery.tag);
    let again = worker.next().await;
    assert_eq!((text(&again), again.redelivered), ("a", true));
    worker.channel.finish(again.tag, None);
}

pub(super) async fn stopping_loses_nothing_and_takes_nothing_more(bench: Bench) {
    let mut first = bench.worker(10).await;
    let mut caller = bench.caller().await;
    for body in ["a", "b"] {
        assert_eq!(caller.outcome_of(bench.request(body)).await, PublishOutcome::Accepted);
    }
    let a = first.next().await;
    first.channel.stop().await;
    assert_eq!(caller.outcome_of(bench.request("c")).await, PublishOutcome::Accepted);
    // What had arrived still comes out; then it ends.
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

pub(super) async fn a_lost_connection_ends_deliveries_and_callers(bench: Bench) {
    let mut worker = bench.worker(10).await;
    let caller = bench.caller().await;
    let (connection_gone, caller_gone) = (bench.connection.closed(), caller.channel.closed());
    bench.connection.close().await;
    assert!(timeout(SOON, worker.deliveries.next()).await.unwrap().is_none());
    assert!(!timeout(SOON, connection_gone).await.unwrap().is_permanent());
    timeout(SOON, caller_gone).await.unwrap();
    assert!(caller.channel.publish(Uuid::new_v4(), bench.request("a")).is_err());
}

pub(super) async fn higher_priorities_come_first(mut bench: Bench) {
    bench.queue = bench.queue.clone().max_priority(5);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    let mut held = None;
    for (body, priority) in [("held", 0), ("low", 1), ("high", 4), ("also low", 1)] {
        let mut request = bench.request(body);
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

pub(super) async fn a_quorum_queue_gives_up_after_its_delivery_limit(mut bench: Bench) {
    bench.queue = bench.queue.clone().quorum().delivery_limit(2);
    let mut worker = bench.worker(1).await;
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("poison")).await, PublishOutcome::Accepted);
    for attempt in 0..3 {
        let delivery = worker.next().await;
        assert_eq!((text(&delivery), delivery.redelivered), ("poison", attempt > 0));
        worker.channel.requeue(delivery.tag);
    }
    worker.expect_nothing().await;
}
