use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, sleep},
};

use super::{table::NotEntered, *};
use crate::message::Properties;

const LONG: Duration = Duration::from_secs(60);

/// A call that waits for long.
fn enter(
    in_flight: &Arc<InFlight>,
    channel: u64,
    oneway: bool,
) -> Result<CallGuard<'_>, NotEntered> {
    in_flight.enter(Uuid::new_v4(), channel, oneway, Instant::now() + LONG)
}

/// A call that waits for so long.
fn waiting(in_flight: &Arc<InFlight>, timeout: Duration) -> CallGuard<'_> {
    in_flight.enter(Uuid::new_v4(), 1, false, Instant::now() + timeout).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn within<T>(runtime: &Runtime, make: impl FnOnce() -> T) -> T {
    let _entered = runtime.enter();
    make()
}

fn reply_to(correlation_id: &str) -> Message {
    let correlation_id = Some(correlation_id.into());
    let properties = Properties { correlation_id, ..Properties::default() };
    Message { properties, ..Message::default() }
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind() {
    let in_flight = InFlight::new(10);
    let guard = enter(&in_flight, 1, false).unwrap();
    assert_eq!(in_flight.len(), 1);
    drop(guard);
    assert_eq!(in_flight.len(), 0);
}

#[tokio::test]
async fn a_second_reply_is_dropped_and_counted() {
    let in_flight = InFlight::new(10);
    let guard = enter(&in_flight, 1, false).unwrap();
    let id = guard.correlation_id().to_string();
    in_flight.reply(reply_to(&id));
    in_flight.reply(reply_to(&id));
    assert!(matches!(guard.await, Outcome::Reply(_)));
    assert_eq!((in_flight.unclaimed(), in_flight.len()), (1, 0));
}

#[tokio::test]
async fn replies_that_nobody_can_have_asked_for_are_counted() {
    let in_flight = InFlight::new(10);
    let guard = enter(&in_flight, 1, false).unwrap();
    let other_spelling = guard.correlation_id().simple().to_string();
    for id in ["", "x", &other_spelling, "00000000-0000-0000-0000-000000000000"] {
        in_flight.reply(reply_to(id));
    }
    assert_eq!((in_flight.unclaimed(), in_flight.len()), (4, 1));
}

#[tokio::test]
async fn calls_of_a_lost_channel_end_and_none_enters_any_more() {
    let in_flight = InFlight::new(10);
    let (old, new) = (enter(&in_flight, 1, false).unwrap(), enter(&in_flight, 2, false).unwrap());
    in_flight.lose(1);
    assert!(matches!(old.await, Outcome::Lost));
    assert_eq!(enter(&in_flight, 1, false).unwrap_err(), NotEntered);
    assert_eq!(in_flight.len(), 1);
    drop(new);
}

#[tokio::test]
async fn a_call_whose_channel_was_closed_is_interrupted() {
    let in_flight = InFlight::new(10);
    let call = enter(&in_flight, 1, false).unwrap();
    in_flight.settled(call.correlation_id(), PublishOutcome::Interrupted);
    in_flight.lose_unaccepted(1);
    assert!(matches!(call.await, Outcome::Interrupted));
}

#[tokio::test]
async fn a_reply_too_large_to_be_kept_ends_its_call() {
    let in_flight = InFlight::new(10);
    let call = enter(&in_flight, 1, false).unwrap();
    let reply = reply_to(&call.correlation_id().to_string());
    in_flight.reply(Message { dropped: usize::MAX, ..reply });
    let ended = call.await;
    assert!(matches!(&ended, Outcome::Reply(ReceivedReply::Unreadable(_))), "{ended:?}");
    in_flight.unreadable();
    assert_eq!(in_flight.unclaimed(), 1);
}

#[tokio::test]
async fn calls_that_the_broker_has_outlive_the_channel_that_sent_them() {
    let in_flight = InFlight::new(10);
    let [taken, passed, ignored, unknown, oneway] =
        [false, false, false, false, true].map(|oneway| enter(&in_flight, 1, oneway).unwrap());
    in_flight.settled(taken.correlation_id(), PublishOutcome::Accepted);
    in_flight.settled(passed.correlation_id(), PublishOutcome::Passed);
    in_flight.settled(ignored.correlation_id(), PublishOutcome::Ignored);
    in_flight.settled(oneway.correlation_id(), PublishOutcome::Passed);
    in_flight.lose_unaccepted(1);
    assert!(matches!(ignored.await, Outcome::Ignored));
    assert!(matches!(unknown.await, Outcome::Lost));
    assert!(matches!(oneway.await, Outcome::Lost));
    assert_eq!(in_flight.len(), 2);
    for guard in [taken, passed] {
        in_flight.reply(reply_to(&guard.correlation_id().to_string()));
        assert!(matches!(guard.await, Outcome::Reply(_)));
    }
}

#[tokio::test]
async fn a_channel_is_retired_when_the_broker_has_dealt_with_what_it_sent() {
    let in_flight = InFlight::new(10);
    let (taken, open) =
        (enter(&in_flight, 1, false).unwrap(), enter(&in_flight, 1, false).unwrap());
    let other = enter(&in_flight, 2, false).unwrap();
    in_flight.settled(taken.correlation_id(), PublishOutcome::Accepted);
    assert!(!in_flight.retire(1));
    drop(open);
    assert!(in_flight.retire(1));
    assert_eq!(enter(&in_flight, 1, false).unwrap_err(), NotEntered);
    assert_eq!(in_flight.len(), 2);
    drop((taken, other));
}

#[tokio::test]
async fn calls_of_an_earlier_channel_outlive_the_loss_of_a_later_one() {
    let in_flight = InFlight::new(10);
    let (earlier, later) =
        (enter(&in_flight, 1, false).unwrap(), enter(&in_flight, 2, false).unwrap());
    in_flight.lose_unaccepted(2);
    assert!(matches!(later.await, Outcome::Lost));
    assert_eq!(in_flight.len(), 1);
    drop(earlier);
}

#[tokio::test]
async fn permits_are_limited_and_come_back() {
    let in_flight = InFlight::new(1);
    let first = in_flight.try_permit().unwrap();
    assert!(in_flight.try_permit().is_none());
    let waiting = tokio::spawn({
        let in_flight = in_flight.clone();
        async move { in_flight.permit().await.is_some() }
    });
    drop(first);
    assert!(waiting.await.unwrap());
    assert!(in_flight.try_permit().is_some());
}

#[tokio::test]
async fn acceptance_ends_a_oneway_request_only() {
    let in_flight = InFlight::new(10);
    let (oneway, call) =
        (enter(&in_flight, 1, true).unwrap(), enter(&in_flight, 1, false).unwrap());
    in_flight.settled(oneway.correlation_id(), PublishOutcome::Accepted);
    in_flight.settled(call.correlation_id(), PublishOutcome::Accepted);
    assert!(matches!(oneway.await, Outcome::Accepted));
    assert_eq!(in_flight.len(), 1);
    in_flight.settled(call.correlation_id(), PublishOutcome::Unroutable);
    assert!(matches!(call.await, Outcome::Unroutable));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_also_where_others_wait_longer() {
    let in_flight = InFlight::new(10);
    let began = Instant::now();
    let [long, short, middle] =
        [LONG, LONG / 4, LONG / 2].map(|timeout| waiting(&in_flight, timeout));
    sleep(LONG / 8).await;
    let shortest = waiting(&in_flight, LONG / 16);
    for (guard, at) in
        [(shortest, LONG * 3 / 16), (short, LONG / 4), (middle, LONG / 2), (long, LONG)]
    {
        assert!(matches!(guard.await, Outcome::Expired));
        assert_eq!(began.elapsed(), at);
    }
    assert_eq!(in_flight.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reply_after_the_deadline_has_nobody_waiting() {
    let in_flight = InFlight::new(10);
    let guard = waiting(&in_flight, LONG);
    let id = guard.correlation_id().to_string();
    assert!(matches!(guard.await, Outcome::Expired));
    in_flight.reply(reply_to(&id));
    assert_eq!(in_flight.unclaimed(), 1);
}

#[test]
fn a_deadline_holds_where_the_runtime_of_earlier_calls_stands_still() {
    let (still, running) = (runtime(), runtime());
    let in_flight = InFlight::new(10);
    let _earlier = within(&still, || waiting(&in_flight, LONG));
    let outcome = running.block_on(async { waiting(&in_flight, Duration::from_millis(5)).await });
    assert!(matches!(outcome, Outcome::Expired));
    assert_eq!(in_flight.len(), 1);
}

#[test]
fn a_call_keeps_its_deadline_on_another_runtime() {
    let (ends, runs) = (runtime(), runtime());
    let in_flight = InFlight::new(10);
    let mut guard = pin!(waiting(&in_flight, Duration::from_millis(50)).into_future());
    let polled = ends.block_on(poll_fn(|cx| Poll::Ready(guard.as_mut().poll(cx))));
    assert!(polled.is_pending());
    drop(ends);
    assert!(matches!(runs.block_on(guard), Outcome::Expired));
}
