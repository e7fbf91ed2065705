use super::*;
use crate::transport::Properties;

fn reply_to(correlation_id: &str) -> Arc<Message> {
    let correlation_id = Some(correlation_id.into());
    let properties = Properties { correlation_id, ..Properties::default() };
    Arc::new(Message { properties, ..Message::default() })
}

#[test]
fn a_dropped_call_leaves_nothing_behind() {
    let pending = Pending::new(10);
    let ticket = pending.enter(1, false).unwrap();
    assert_eq!(pending.len(), 1);
    drop(ticket);
    assert_eq!(pending.len(), 0);
}

#[tokio::test]
async fn a_second_reply_is_dropped_and_counted() {
    let pending = Pending::new(10);
    let ticket = pending.enter(1, false).unwrap();
    let id = ticket.correlation_id().to_string();
    pending.reply(reply_to(&id));
    pending.reply(reply_to(&id));
    assert!(matches!(ticket.await, Outcome::Reply(_)));
    assert_eq!((pending.unclaimed(), pending.len()), (1, 0));
}

#[test]
fn replies_that_nobody_can_have_asked_for_are_counted() {
    let pending = Pending::new(10);
    let ticket = pending.enter(1, false).unwrap();
    let other_spelling = ticket.correlation_id().simple().to_string();
    for id in ["", "x", &other_spelling, "00000000-0000-0000-0000-000000000000"] {
        pending.reply(reply_to(id));
    }
    assert_eq!((pending.unclaimed(), pending.len()), (4, 1));
}

#[tokio::test]
async fn calls_of_a_lost_channel_end_and_none_enters_any_more() {
    let pending = Pending::new(10);
    let (old, new) = (pending.enter(1, false).unwrap(), pending.enter(2, false).unwrap());
    pending.lose(1);
    assert!(matches!(old.await, Outcome::Lost));
    assert_eq!(pending.enter(1, false).unwrap_err(), NotEntered);
    assert_eq!(pending.len(), 1);
    drop(new);
}

#[tokio::test]
async fn calls_that_the_broker_has_outlive_the_channel_that_sent_them() {
    let pending = Pending::new(10);
    let [taken, passed, ignored, unknown, oneway] =
        [false, false, false, false, true].map(|oneway| pending.enter(1, oneway).unwrap());
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

#[test]
fn a_channel_is_retired_when_the_broker_has_dealt_with_what_it_sent() {
    let pending = Pending::new(10);
    let (taken, open) = (pending.enter(1, false).unwrap(), pending.enter(1, false).unwrap());
    let other = pending.enter(2, false).unwrap();
    pending.settled(taken.correlation_id(), Fate::Accepted);
    assert!(!pending.retire(1));
    drop(open);
    assert!(pending.retire(1));
    assert_eq!(pending.enter(1, false).unwrap_err(), NotEntered);
    assert_eq!(pending.len(), 2);
    drop((taken, other));
}

#[tokio::test]
async fn calls_of_an_earlier_channel_outlive_the_loss_of_a_later_one() {
    let pending = Pending::new(10);
    let (earlier, later) = (pending.enter(1, false).unwrap(), pending.enter(2, false).unwrap());
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
    let (oneway, call) = (pending.enter(1, true).unwrap(), pending.enter(1, false).unwrap());
    pending.settled(oneway.correlation_id(), Fate::Accepted);
    pending.settled(call.correlation_id(), Fate::Accepted);
    assert!(matches!(oneway.await, Outcome::Accepted));
    assert_eq!(pending.len(), 1);
    pending.settled(call.correlation_id(), Fate::Unroutable);
    assert!(matches!(call.await, Outcome::Unroutable));
}
