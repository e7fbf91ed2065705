use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::transport::amqp::{
    mux::Mux,
    wire::{Refusal, Tuning},
};

const MOST: u16 = 3;

fn mux() -> Arc<Mux> {
    Mux::new(Tuning { channels: MOST, largest_frame: 4096, heartbeat: 0 })
}

fn refusal() -> Refusal {
    Refusal { code: 404, text: "no queue".into() }
}

/// What was put out, as the class and method of each frame.
fn out(mux: &Mux) -> Vec<(u16, [u8; 4])> {
    let mut items = VecDeque::new();
    mux.outgoing.take(&mut items);
    let mut bytes = Vec::new();
    for item in items {
        if let crate::transport::amqp::wire::Item::Bytes(more) = item {
            bytes.extend_from_slice(&more);
        }
    }
    let (mut rest, mut methods) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let size = u32::from_be_bytes(*rest[3..].first_chunk().unwrap()) as usize;
        let channel = u16::from_be_bytes(*rest[1..].first_chunk().unwrap());
        methods.push((channel, *rest[7..].first_chunk().unwrap()));
        rest = &rest[size + 8..];
    }
    methods
}

const CLOSE: [u8; 4] = [0, 20, 0, 40];
const CLOSE_OK: [u8; 4] = [0, 20, 0, 41];

#[derive(Default)]
struct Told {
    ended: Mutex<Option<Ended>>,
    times: AtomicUsize,
}

impl Route for Told {
    fn ended(&self, why: Ended) {
        self.times.fetch_add(1, Ordering::Relaxed);
        *self.ended.lock().unwrap() = Some(why);
    }
}

#[test]
fn answers_come_in_the_order_of_what_was_asked_and_those_for_nobody_are_dropped() {
    let mux = mux();
    let port = mux.reserve().unwrap();
    let given_up = mux.ask(&port, &Command::OpenChannel).unwrap();
    let mut second = mux.ask(&port, &Command::Prefetch(1)).unwrap();
    drop(given_up);
    mux.answered(port.channel(), Answer::Done);
    assert!(second.try_recv().is_err(), "that was the first's");
    mux.answered(port.channel(), Answer::Consumer("tag".into()));
    assert_eq!(second.try_recv().unwrap().unwrap(), Answer::Consumer("tag".into()));
    mux.answered(port.channel(), Answer::Done);
    mux.answered(9, Answer::Done);
}

#[test]
fn a_number_is_given_out_again_when_both_sides_have_closed_its_channel() {
    let mux = mux();
    let ports: Vec<_> = (0..MOST).map(|_| mux.reserve().unwrap()).collect();
    let error = mux.reserve().map(drop).unwrap_err();
    assert!(format!("{error:?}").contains("NoChannel(3)"), "{error:?}");

    let mut closed = mux.close(&ports[1]).unwrap();
    assert!(mux.reserve().is_err(), "the broker has not agreed yet");
    mux.closed(ports[1].channel());
    assert!(matches!(closed.try_recv(), Ok(Ok(Answer::Done))));
    let again = mux.reserve().unwrap();
    assert_eq!(again.channel(), ports[1].channel());

    assert!(mux.close(&ports[1]).is_none(), "it is another's number by now");
    assert!(mux.ask(&ports[1], &Command::Confirm).is_err());
    assert!(mux.ask(&again, &Command::OpenChannel).is_ok());
}

#[test]
fn a_channel_that_both_ends_close_at_once_is_free_when_both_were_heard() {
    let mux = mux();
    let (port, told) = (mux.reserve().unwrap(), Arc::new(Told::default()));
    mux.route(&port, told.clone());
    let mut closed = mux.close(&port).unwrap();
    mux.refused(port.channel(), refusal());
    assert!(matches!(closed.try_recv(), Ok(Err(Ended::Refused(_)))));
    assert_eq!(out(&mux), [(1, CLOSE), (1, CLOSE_OK)]);
    assert_eq!(mux.channels().len(), 1);
    mux.closed(port.channel());
    assert_eq!(mux.channels().len(), 0);
    assert_eq!(told.times.load(Ordering::Relaxed), 1);
}

#[test]
fn what_the_broker_refuses_ends_the_channel_for_everybody_and_once() {
    let mux = mux();
    let (port, told) = (mux.reserve().unwrap(), Arc::new(Told::default()));
    mux.route(&port, told.clone());
    let mut waiting = mux.ask(&port, &Command::Confirm).unwrap();
    out(&mux);
    mux.refused(port.channel(), refusal());
    assert!(matches!(waiting.try_recv(), Ok(Err(Ended::Refused(why))) if why == refusal()));
    assert!(matches!(&*told.ended.lock().unwrap(), Some(Ended::Refused(why)) if *why == refusal()));
    assert_eq!(out(&mux), [(1, CLOSE_OK)]);

    // A frame on it would end the connection.
    assert!(port.send(|out| out.answered(1)).is_err());
    assert!(mux.close(&port).is_none());
    let late = Arc::new(Told::default());
    mux.route(&port, late.clone());
    assert!(matches!(&*late.ended.lock().unwrap(), Some(Ended::Refused(_))));
    assert_eq!(out(&mux), []);
    assert_eq!(told.times.load(Ordering::Relaxed), 1);
}

#[test]
fn a_channel_is_closed_after_its_acknowledgements_and_nothing_follows() {
    let mux = mux();
    let port = mux.reserve().unwrap();
    port.send(|out| out.answered(1)).unwrap();
    mux.close(&port).unwrap();
    assert!(port.send(|out| out.answered(2)).is_err());
    assert_eq!(out(&mux), [(1, [0, 60, 0, 80]), (1, CLOSE)]);
}

#[test]
fn goodbye_comes_after_acknowledgements_and_nothing_after_goodbye() {
    let mux = mux();
    let port = mux.reserve().unwrap();
    port.send(|out| out.answered(1)).unwrap();
    mux.say_goodbye();
    mux.say_goodbye();
    assert!(mux.ask(&port, &Command::Confirm).is_err());
    assert!(mux.close(&port).is_none());
    assert_eq!(out(&mux), [(1, [0, 60, 0, 80]), (0, [0, 10, 0, 50])]);
}

#[test]
fn the_end_of_the_connection_is_told_to_everybody_who_waits() {
    let mux = mux();
    let (port, told) = (mux.reserve().unwrap(), Arc::new(Told::default()));
    mux.route(&port, told.clone());
    let mut waiting = mux.ask(&port, &Command::Confirm).unwrap();
    mux.end(&Ended::Dismissed(refusal()));
    assert!(matches!(waiting.try_recv(), Ok(Err(Ended::Dismissed(_)))));
    assert!(matches!(&*told.ended.lock().unwrap(), Some(Ended::Dismissed(_))));
    assert!(matches!(&*mux.ended().borrow(), Some(Ended::Dismissed(_))));
    assert!(matches!(mux.ask(&port, &Command::Confirm), Err(Ended::Dismissed(_))));
    assert!(matches!(mux.reserve(), Err(Ended::Dismissed(_))));
}
