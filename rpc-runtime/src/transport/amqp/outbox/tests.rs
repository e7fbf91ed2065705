//! Tests of an outbox against a broker that the test plays.

use std::{collections::VecDeque, sync::atomic::AtomicU64};

use bytes::Bytes;
use rpc_amqp::{Channel, Connection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{oneshot, watch},
    time::sleep,
};

use super::{
    super::{
        CLOSE_WITHIN,
        tests::{connect, handshake},
    },
    one_by_one::only_reply,
    *,
};
use crate::message::Message;

const SOON: Duration = Duration::from_secs(5);

/// What the broker has received so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Seen {
    /// The channels of the replies.
    published: Vec<u16>,
    /// The channels of the acknowledgements.
    acknowledged: Vec<u16>,
    closes_connection: bool,
}

/// Reads frames and responds. Under an alarm it reads nothing after a message.
async fn play(
    mut socket: DuplexStream,
    seen: watch::Sender<Seen>,
    mut alarm: watch::Receiver<bool>,
) {
    socket.write_all(&handshake()).await.unwrap();
    let mut greeting = [0; 8];
    socket.read_exact(&mut greeting).await.unwrap();
    while let Ok(kind) = socket.read_u8().await {
        let channel = socket.read_u16().await.unwrap();
        let size = socket.read_u32().await.unwrap();
        let mut payload = vec![0; usize::try_from(size).unwrap() + 1];
        socket.read_exact(&mut payload).await.unwrap();
        if kind != 1 {
            continue;
        }
        let answer: &[u8] = match payload[..4] {
            [0, 10, 0, 50] => {
                seen.send_modify(|seen| seen.closes_connection = true);
                &[0, 10, 0, 51]
            }
            [0, 20, 0, 10] => &[0, 20, 0, 11, 0, 0, 0, 0],
            [0, 60, 0, 10] => &[0, 60, 0, 11],
            [0, 60, 0, 40] => {
                seen.send_modify(|seen| seen.published.push(channel));
                alarm.wait_for(|alarm| !alarm).await.unwrap();
                continue;
            }
            [0, 60, 0, 80] => {
                seen.send_modify(|seen| seen.acknowledged.push(channel));
                continue;
            }
            _ => continue,
        };
        socket.write_u8(1).await.unwrap();
        socket.write_u16(channel).await.unwrap();
        socket.write_u32(u32::try_from(answer.len()).unwrap()).await.unwrap();
        socket.write_all(answer).await.unwrap();
        socket.write_u8(0xCE).await.unwrap();
    }
}

fn reply(request: Unsettled) -> Box<UnconfirmedReply> {
    let message = Message {
        routing_key: "amq.gen-x".into(),
        body: Bytes::from_static(b"x"),
        ..Message::default()
    };
    UnconfirmedReply::new(message, request, "q".into(), Arc::<AtomicU64>::default())
}

struct Played {
    connection: Connection,
    outboxes: Outboxes,
    /// The channel that requests are received on.
    requests: Channel,
    seen: watch::Receiver<Seen>,
    alarm: watch::Sender<bool>,
}

impl Played {
    async fn start() -> Self {
        let (broker, socket) = duplex(1024 * 1024);
        let (alarm, seen) = (watch::Sender::new(false), watch::Sender::default());
        let subscribed = seen.subscribe();
        tokio::spawn(play(broker, seen, alarm.subscribe()));
        let (connection, dialer) = connect(socket).await;
        let outboxes = Outboxes::new(connection.clone(), dialer, &Handle::current());
        let requests = connection.open_channel().await.unwrap();
        Self { connection, outboxes, requests, seen: subscribed, alarm }
    }

    fn reply(&self, tag: u64) -> Box<UnconfirmedReply> {
        reply(Unsettled { writer: self.requests.writer().clone(), tag, reject: false })
    }

    async fn sees(&mut self, state: impl FnMut(&Seen) -> bool) -> Seen {
        timeout(SOON, self.seen.wait_for(state)).await.unwrap().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn no_reply_is_sent_twice_under_an_alarm() {
    let mut played = Played::start().await;
    played.alarm.send_replace(true);
    played.outboxes.careful.send(played.reply(1));
    played.sees(|seen| seen.published.len() == 1).await;
    // The clock is paused, so every time limit passes now.
    sleep(Duration::from_secs(2 * 60 * 60)).await;
    assert!(played.seen.borrow().acknowledged.is_empty());
    played.alarm.send_replace(false);
    let seen = played.sees(|seen| !seen.acknowledged.is_empty()).await;
    let expected = Seen { published: vec![2], acknowledged: vec![1], ..Seen::default() };
    assert_eq!(seen, expected, "on a channel of its own, and the request on its channel");
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_earlier_replies() {
    let mut played = Played::start().await;
    played.alarm.send_replace(true);
    played.outboxes.careful.send(played.reply(1));
    let start = Instant::now();
    played.outboxes.flush(CLOSE_WITHIN).await;
    assert!(start.elapsed() >= CLOSE_WITHIN, "the broker has dealt with no reply");
    played.alarm.send_replace(false);
    played.outboxes.flush(SOON).await;
    assert!(start.elapsed() < SOON);
    played.connection.close();
    let seen = played.sees(|seen| seen.closes_connection).await;
    assert_eq!(seen.acknowledged, [1], "before the connection closes");
}

#[tokio::test(start_paused = true)]
async fn replies_of_a_dropped_worker_are_still_sent() {
    let Played { connection: _connection, outboxes, requests, mut seen, alarm: _alarm } =
        Played::start().await;
    let unsettled = Unsettled { writer: requests.writer().clone(), tag: 1, reject: false };
    outboxes.careful.send(reply(unsettled));
    drop(outboxes);
    timeout(SOON, seen.wait_for(|seen| seen.acknowledged == [1])).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_blamed_on_an_only_reply() {
    let played = Played::start().await;
    let flush = || Item::Flush(oneshot::channel().0);
    let mut one = VecDeque::from([flush(), Item::Reply(played.reply(1))]);
    assert!(only_reply(&mut one).is_some());
    assert!(matches!(one.make_contiguous(), [Item::Flush(_)]));
    let mut two = VecDeque::from([Item::Reply(played.reply(1)), Item::Reply(played.reply(2))]);
    assert!(only_reply(&mut two).is_none(), "it may be about the second");
    assert_eq!(two.len(), 2);
}
