//! Tests of the public interface with a broker that the test simulates over a pair of streams.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{sync::Arc, time::Duration};

use rpc_amqp::{
    ChannelHandler, Confirmation, ConnectErrorKind, ConnectOptions, Connection, Connector,
    Delivery, Error, Message, Properties, QueueDeclaration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::mpsc,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(10);

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind][..], &channel.to_be_bytes(), &size, payload, &[0xce]].concat()
}

/// The broker's side of a handshake: 9 channels, frames of 4 KiB and no heartbeat.
fn handshake() -> Vec<u8> {
    [
        frame(1, 0, b"\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US"),
        frame(1, 0, b"\0\x0a\0\x1e\0\x09\0\0\x10\0\0\0"),
        frame(1, 0, b"\0\x0a\0\x29\0"),
    ]
    .concat()
}

async fn connect(
    options: ConnectOptions,
) -> Result<(Connection, DuplexStream), rpc_amqp::ConnectError> {
    let (mut broker, socket) = duplex(64 * 1024);
    broker.write_all(&handshake()).await.unwrap();
    let connector = Connector::new(&["amqp://ada:s3cret@rabbit?heartbeat=0"], options)?;
    let connection = connector.connect_over(socket).await?;
    Ok((connection, broker))
}

/// The next method frame: its channel, its class and method, and its arguments.
async fn method(broker: &mut DuplexStream) -> (u16, [u8; 4], Vec<u8>) {
    loop {
        let kind = broker.read_u8().await.unwrap();
        let channel = broker.read_u16().await.unwrap();
        let size = broker.read_u32().await.unwrap();
        let mut payload = vec![0; usize::try_from(size).unwrap() + 1];
        broker.read_exact(&mut payload).await.unwrap();
        assert_eq!(payload.pop(), Some(0xce));
        if kind == 1 {
            let arguments = payload.split_off(4);
            return (channel, payload.try_into().unwrap(), arguments);
        }
    }
}

/// Reads the client's side of the handshake.
async fn read_handshake(broker: &mut DuplexStream) {
    let mut greeting = [0; 8];
    broker.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"AMQP\0\0\x09\x01");
    for expected in [[0, 10, 0, 11], [0, 10, 0, 31], [0, 10, 0, 40]] {
        assert_eq!(method(broker).await.1, expected);
    }
}

/// Reads a method, and answers with another method of its class.
async fn answer(broker: &mut DuplexStream, expected: [u8; 4], answer: &[u8]) {
    let (channel, id, _) = method(broker).await;
    assert_eq!(id, expected);
    broker.write_all(&frame(1, channel, answer)).await.unwrap();
}

#[derive(Debug, PartialEq)]
enum Event {
    Delivered(u64, Vec<u8>),
    Returned,
    Confirmed(u64, bool, Confirmation),
    Closed,
}

struct Recorder(mpsc::UnboundedSender<Event>);

impl ChannelHandler for Recorder {
    fn delivered(&self, delivery: Delivery) {
        let _ = self.0.send(Event::Delivered(delivery.tag, delivery.body.to_vec()));
    }

    fn returned(&self, _: Properties) {
        let _ = self.0.send(Event::Returned);
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        let _ = self.0.send(Event::Confirmed(number, multiple, confirmation));
    }

    fn closed(&self, _: Error) {
        let _ = self.0.send(Event::Closed);
    }
}

#[tokio::test]
async fn messages_are_consumed_acknowledged_published_and_confirmed() {
    let (connection, mut broker) = connect(ConnectOptions::default()).await.unwrap();
    assert_eq!((connection.user().as_str(), connection.channel_max()), ("ada", 9));
    let played = tokio::spawn(async move {
        read_handshake(&mut broker).await;
        answer(&mut broker, [0, 20, 0, 10], b"\0\x14\0\x0b\0\0\0\0").await;
        answer(&mut broker, [0, 85, 0, 10], b"\0\x55\0\x0b").await;
        let declared = b"\0\x32\0\x0b\x01q\0\0\0\x02\0\0\0\x01";
        answer(&mut broker, [0, 50, 0, 10], declared).await;
        answer(&mut broker, [0, 60, 0, 20], b"\0\x3c\0\x15\x03tag").await;
        // A message with the body "hi".
        let deliver = b"\0\x3c\0\x3c\x03tag\0\0\0\0\0\0\0\x01\0\0\x01q";
        let header = b"\0\x3c\0\0\0\0\0\0\0\0\0\x02\0\0";
        for sent in [frame(1, 1, deliver), frame(2, 1, header), frame(3, 1, b"hi")] {
            broker.write_all(&sent).await.unwrap();
        }
        let (_, publish, _) = method(&mut broker).await;
        assert_eq!(publish, [0, 60, 0, 40]);
        let (_, ack, arguments) = method(&mut broker).await;
        assert_eq!((ack, &arguments[..]), ([0, 60, 0, 80], &[0, 0, 0, 0, 0, 0, 0, 1, 1][..]));
        broker.write_all(&frame(1, 1, b"\0\x3c\0\x50\0\0\0\0\0\0\0\x01\0")).await.unwrap();
        broker
    });

    let channel = connection.open_channel().await.unwrap();
    let (events, mut news) = mpsc::unbounded_channel();
    channel.set_handler(Arc::new(Recorder(events)));
    channel.confirm_select().await.unwrap();
    let queue = channel.declare_queue(QueueDeclaration::default()).await.unwrap();
    assert_eq!((queue.name.as_str(), queue.messages, queue.consumers), ("q", 2, 1));
    assert_eq!(channel.consume(&queue.name, true).await.unwrap(), "tag");
    let mut next = async || timeout(SOON, news.recv()).await.unwrap().unwrap();
    assert_eq!(next().await, Event::Delivered(1, b"hi".to_vec()));
    let message = Message { routing_key: "q".into(), body: "answer".into(), ..Message::default() };
    let batch = channel.writer().write(|out| {
        out.ack(1);
        out.publish(&message);
    });
    batch.unwrap();
    assert_eq!(next().await, Event::Confirmed(1, false, Confirmation::Ack));

    drop(timeout(SOON, played).await.unwrap().unwrap());
    assert_eq!(next().await, Event::Closed);
    assert!(matches!(timeout(SOON, connection.closed()).await.unwrap(), Error::Lost(_)));
    assert!(channel.writer().write(|out| out.ack(2)).is_err());
}

#[tokio::test]
async fn a_dropped_connection_is_closed() {
    let (connection, mut broker) = connect(ConnectOptions::default()).await.unwrap();
    let handle = connection.clone();
    drop(connection);
    assert!(!handle.is_closed());
    drop(handle);
    let closed = async {
        read_handshake(&mut broker).await;
        method(&mut broker).await.1
    };
    assert_eq!(timeout(SOON, closed).await.unwrap(), [0, 10, 0, 50]);
}

#[tokio::test]
async fn too_few_channels_are_an_error() {
    let error = connect(ConnectOptions::default().min_channels(10)).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::TooFewChannels);
    assert!(error.to_string().contains("9 channels"), "{error}");
    assert!(!format!("{error:?} {error}").contains("s3cret"));
}

#[tokio::test]
async fn a_window_that_is_full_blocks_the_connection() {
    let (connection, _broker) = connect(ConnectOptions::default()).await.unwrap();
    let blocked = connection.blocked();
    let held = connection.send_window().hold(64 * 1024 * 1024);
    assert!(blocked.borrow().full && blocked.borrow().reason().is_some());
    drop(held);
    assert!(!blocked.borrow().full);
}
