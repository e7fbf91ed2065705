use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{CloseReason, connection::Shared, protocol::Tuning};

const MOST: u16 = 3;

fn shared() -> Arc<Shared> {
    Shared::new(Tuning { channel_max: MOST, frame_max: 4096, heartbeat: 0 })
}

fn reason() -> CloseReason {
    CloseReason { code: 404, text: "no queue".into() }
}

/// The outgoing frames, as class and method of each.
fn out(shared: &Shared) -> Vec<(u16, [u8; 4])> {
    let mut items = VecDeque::new();
    shared.outgoing.take(&mut items);
    let mut bytes = Vec::new();
    for item in items {
        if let crate::protocol::Item::Bytes(more) = item {
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
    ended: Mutex<Option<Error>>,
    times: AtomicUsize,
}

impl ChannelHandler for Told {
    fn closed(&self, why: Error) {
        self.times.fetch_add(1, Ordering::Relaxed);
        *self.ended.lock().unwrap() = Some(why);
    }
}

#[test]
fn answers_come_in_the_order_of_methods() {
    let shared = shared();
    let writer = shared.reserve().unwrap();
    let given_up = shared.ask(&writer, &Command::OpenChannel).unwrap();
    let mut second = shared.ask(&writer, &Command::Prefetch(1)).unwrap();
    drop(given_up);
    shared.answered(writer.channel(), Answer::Done);
    assert!(second.try_recv().is_err(), "that was the first's");
    shared.answered(writer.channel(), Answer::Consumer("tag".into()));
    assert_eq!(second.try_recv().unwrap().unwrap(), Answer::Consumer("tag".into()));
    shared.answered(writer.channel(), Answer::Done);
    shared.answered(9, Answer::Done);
}

#[test]
fn number_is_free_after_both_sides_closed() {
    let shared = shared();
    let writers: Vec<_> = (0..MOST).map(|_| shared.reserve().unwrap()).collect();
    let error = shared.reserve().map(drop).unwrap_err();
    assert!(format!("{error:?}").contains("NoChannel(3)"), "{error:?}");

    let mut closed = shared.close_channel(&writers[1]).unwrap();
    assert!(shared.reserve().is_err(), "the broker has not agreed yet");
    shared.close_agreed(writers[1].channel());
    assert!(matches!(closed.try_recv(), Ok(Ok(Answer::Done))));
    let again = shared.reserve().unwrap();
    assert_eq!(again.channel(), writers[1].channel());

    assert!(shared.close_channel(&writers[1]).is_none(), "it is another's number by now");
    assert!(shared.ask(&writers[1], &Command::Confirm).is_err());
    assert!(shared.ask(&again, &Command::OpenChannel).is_ok());
}

#[test]
fn channel_closed_by_both_sides_is_freed() {
    let shared = shared();
    let (writer, told) = (shared.reserve().unwrap(), Arc::new(Told::default()));
    shared.set_handler(&writer, told.clone());
    let mut closed = shared.close_channel(&writer).unwrap();
    shared.channel_closed(writer.channel(), reason());
    assert!(matches!(closed.try_recv(), Ok(Err(Error::ChannelClosed(_)))));
    assert_eq!(out(&shared), [(1, CLOSE), (1, CLOSE_OK)]);
    assert_eq!(shared.channels().len(), 1);
    shared.close_agreed(writer.channel());
    assert_eq!(shared.channels().len(), 0);
    assert_eq!(told.times.load(Ordering::Relaxed), 1);
}

#[test]
fn a_refusal_ends_the_channel_once() {
    let shared = shared();
    let (writer, told) = (shared.reserve().unwrap(), Arc::new(Told::default()));
    shared.set_handler(&writer, told.clone());
    let mut waiting = shared.ask(&writer, &Command::Confirm).unwrap();
    out(&shared);
    shared.channel_closed(writer.channel(), reason());
    assert!(matches!(waiting.try_recv(), Ok(Err(Error::ChannelClosed(why))) if why == reason()));
    assert!(
        matches!(&*told.ended.lock().unwrap(), Some(Error::ChannelClosed(why)) if *why == reason())
    );
    assert_eq!(out(&shared), [(1, CLOSE_OK)]);

    // A frame on this channel would make the broker close the connection.
    assert!(writer.write(|out| out.ack(1)).is_err());
    assert!(shared.close_channel(&writer).is_none());
    let late = Arc::new(Told::default());
    shared.set_handler(&writer, late.clone());
    assert!(matches!(&*late.ended.lock().unwrap(), Some(Error::ChannelClosed(_))));
    assert_eq!(out(&shared), []);
    assert_eq!(told.times.load(Ordering::Relaxed), 1);
}

#[test]
fn a_channel_closes_after_its_acknowledgements() {
    let shared = shared();
    let writer = shared.reserve().unwrap();
    writer.write(|out| out.ack(1)).unwrap();
    shared.close_channel(&writer).unwrap();
    assert!(writer.write(|out| out.ack(2)).is_err());
    assert_eq!(out(&shared), [(1, [0, 60, 0, 80]), (1, CLOSE)]);
}

#[test]
fn a_connection_closes_after_all_acknowledgements() {
    let shared = shared();
    let writer = shared.reserve().unwrap();
    writer.write(|out| out.ack(1)).unwrap();
    shared.close();
    shared.close();
    assert!(shared.ask(&writer, &Command::Confirm).is_err());
    assert!(shared.close_channel(&writer).is_none());
    assert_eq!(out(&shared), [(1, [0, 60, 0, 80]), (0, [0, 10, 0, 50])]);
}

#[test]
fn the_end_of_the_connection_reaches_all_channels() {
    let shared = shared();
    let (writer, told) = (shared.reserve().unwrap(), Arc::new(Told::default()));
    shared.set_handler(&writer, told.clone());
    let mut waiting = shared.ask(&writer, &Command::Confirm).unwrap();
    shared.end(&Error::ConnectionClosed(reason()));
    assert!(matches!(waiting.try_recv(), Ok(Err(Error::ConnectionClosed(_)))));
    assert!(matches!(&*told.ended.lock().unwrap(), Some(Error::ConnectionClosed(_))));
    assert!(matches!(&*shared.ended().borrow(), Some(Error::ConnectionClosed(_))));
    assert!(matches!(shared.ask(&writer, &Command::Confirm), Err(Error::ConnectionClosed(_))));
    assert!(matches!(shared.reserve(), Err(Error::ConnectionClosed(_))));
}
