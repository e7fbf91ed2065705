use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

use super::*;
use crate::message::Properties;

const LONG: Duration = Duration::from_secs(60);

/// A call that waits for long.
fn enter(pending: &Arc<Pending>, channel: u64, oneway: bool) -> Result<Ticket<'_>, NotEntered> {
    pending.enter(Uuid::new_v4(), channel, oneway, Instant::now() + LONG)
}

/// A call that waits for so long.
fn waiting(pending: &Arc<Pending>, timeout: Duration) -> Ticket<'_> {
    pending.enter(Uuid::new_v4(), 1, false, Instant::now() + timeout).unwrap()
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
    let pending = Pending::new(10);
    let ticket = enter(&pending, 1, false).unwrap();
    assert_eq!(pending.len(), 1);
    drop(ticket);
    assert_eq!(pending.len(), 0);
}

#[tokio::test]
async fn a_second_reply_is_dropped_and_counted() {
    let pending = Pending::new(10);
    let ticket = enter(&pending, 1, false).unwrap();
    let id = ticket.correlation_id().to_string();
    pending.reply(reply_to(&id));
    pending.reply(reply_to(&id));
    assert!(matches!(ticket.await, Outcome::Reply(_)));
    assert_eq!((pending.unclaimed(), pending.len()), (1, 0));
}

#[tokio::test]
async fn replies_that_nobody_can_have_asked_for_are_counted() {
    let pending = Pending::new(10);
    let ticket = enter(&pending, 1, false).unwrap();
    let other_spelling = ticket.correlation_id().simple().to_string();
    for id in ["", "x", &other_spelling, "00000000-0000-0000-0000-000000000000"] {
        pending.reply(reply_to(id));
    }
    assert_eq!((pending.unclaimed(), pending.len()), (4, 1));
}

#[tokio::test]
async fn calls_of_a_lost_channel_end_and_none_enters_any_more() {
    let pending = Pending::new(10);
    let (old, new) = (enter(&pending, 1, false).unwrap(), enter(&pending, 2, false).unwrap());
    pending.lose(1);
    assert!(matches!(old.await, Outcome::Lost));
    assert_eq!(enter(&pending, 1, false).unwrap_err(), NotEntered);
    assert_eq!(pending.len(), 1);
    drop(new);
}

#[tokio::test]
async fn a_call_whose_channel_was_closed_is_interrupted() {
    let pending = Pending::new(10);
    let call = enter(&pending, 1, false).unwrap();
    pending.settled(call.correlation_id(), Fate::Interrupted);
    pending.lose_unaccepted(1);
    assert!(matches!(call.await, Outcome::Interrupted));
}

#[tokio::test]
async fn a_reply_too_large_to_be_kept_ends_its_call() {
    let pending = Pending::new(10);
    let call = enter(&pending, 1, false).unwrap();
    let reply = reply_to(&call.correlation_id().to_string());
    pending.reply(Message { dropped: usize::MAX, ..reply });
    let ended = call.await;
    assert!(matches!(&ended, Outcome::Reply(ReceivedReply::Unreadable(_))), "{ended:?}");
    pending.unreadable();
    assert_eq!(pending.unclaimed(), 1);
}

#[tokio::test]
async fn calls_that_the_broker_has_outlive_the_channel_that_sent_them() {
    let pending = Pending::new(10);
    let [taken, passed, ignored, unknown, oneway] =
        [false, false, false, false, true].map(|oneway| enter(&pending, 1, oneway).unwrap());
    pending.settled(taken.correlation_id(), Fate::Accepted);
    pending.settled(passed.correlation_id(), Fate::Passed);
    pending.settled(ignored.correlation_id(), Fate::Ignored);
    pending.settled(oneway.correlation_id(), Fate::Passed);
    pending.lose_unaccepted(1);
    assert!(matches!(ignored.await, Outcome::Ignored));
    assert!(matches!(unknown.await, Outcome::Lost));
    assert!(matches!(oneway.await, Outcome::Lost));
    assert_eq!(pending.len(), 2);
    for ticket in [taken, passed] {
        pending.reply(reply_to(&ticket.correlation_id().to_string()));
        assert!(matches!(ticket.await, Outcome::Reply(_)));
    }
}

#[tokio::test]
async fn a_channel_is_retired_when_the_broker_has_dealt_with_what_it_sent() {
    let pending = Pending::new(10);
    let (taken, open) = (enter(&pending, 1, false).unwrap(), enter(&pending, 1, false).unwrap());
    let other = enter(&pending, 2, false).unwrap();
    pending.settled(taken.correlation_id(), Fate::Accepted);
    assert!(!pending.retire(1));
    drop(open);
    assert!(pending.retire(1));
    assert_eq!(enter(&pending, 1, false).unwrap_err(), NotEntered);
    assert_eq!(pending.len(), 2);
    drop((taken, other));
}

#[tokio::test]
async fn calls_of_an_earlier_channel_outlive_the_loss_of_a_later_one() {
    let pending = Pending::new(10);
    let (earlier, later) = (enter(&pending, 1, false).unwrap(), enter(&pending, 2, false).unwrap());
    pending.lose_unaccepted(2);
    assert!(matches!(later.await, Outcome::Lost));
    assert_eq!(pending.len(), 1);
    drop(earlier);
}

#[tokio::test]
async fn there_are_so_many_slots_and_each_comes_back() {
    let pending = Pending::new(1);
    let first = pending.try_slot().unwrap();
    assert!(pending.try_slot().is_none());
    let waiting = tokio::spawn({
        let pending = pending.clone();
        async move { pending.slot().await.is_some() }
    });
    drop(first);
    assert!(waiting.await.unwrap());
    assert!(pending.try_slot().is_some());
}

#[tokio::test]
async fn acceptance_ends_a_oneway_request_only() {
    let pending = Pending::new(10);
    let (oneway, call) = (enter(&pending, 1, true).unwrap(), enter(&pending, 1, false).unwrap());
    pending.settled(oneway.correlation_id(), Fate::Accepted);
    pending.settled(call.correlation_id(), Fate::Accepted);
    assert!(matches!(oneway.await, Outcome::Accepted));
    assert_eq!(pending.len(), 1);
    pending.settled(call.correlation_id(), Fate::Unroutable);
    assert!(matches!(call.await, Outcome::Unroutable));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_also_where_others_wait_longer() {
    let pending = Pending::new(10);
    let began = Instant::now();
    let [long, short, middle] =
        [LONG, LONG / 4, LONG / 2].map(|timeout| waiting(&pending, timeout));
    sleep(LONG / 8).await;
    let shortest = waiting(&pending, LONG / 16);
    for (ticket, at) in
        [(shortest, LONG * 3 / 16), (short, LONG / 4), (middle, LONG / 2), (long, LONG)]
    {
        assert!(matches!(ticket.await, Outcome::Expired));
        assert_eq!(began.elapsed(), at);
    }
    assert_eq!(pending.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reply_after_the_deadline_has_nobody_waiting() {
    let pending = Pending::new(10);
    let ticket = waiting(&pending, LONG);
    let id = ticket.correlation_id().to_string();
    assert!(matches!(ticket.await, Outcome::Expired));
    pending.reply(reply_to(&id));
    assert_eq!(pending.unclaimed(), 1);
}

#[test]
fn a_deadline_holds_where_the_runtime_of_earlier_calls_stands_still() {
    let (still, running) = (runtime(), runtime());
    let pending = Pending::new(10);
    let _earlier = within(&still, || waiting(&pending, LONG));
    let outcome = running.block_on(async { waiting(&pending, Duration::from_millis(5)).await });
    assert!(matches!(outcome, Outcome::Expired));
    assert_eq!(pending.len(), 1);
}

#[test]
fn a_call_keeps_its_deadline_on_another_runtime() {
    let (ends, runs) = (runtime(), runtime());
    let pending = Pending::new(10);
    let mut ticket = pin!(waiting(&pending, Duration::from_millis(50)).into_future());
    let polled = ends.block_on(poll_fn(|cx| Poll::Ready(ticket.as_mut().poll(cx))));
    assert!(polled.is_pending());
    drop(ends);
    assert!(matches!(runs.block_on(ticket), Outcome::Expired));
}
