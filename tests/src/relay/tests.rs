use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Direction, Relay};
use crate::eventually;

const SOON: Duration = Duration::from_secs(10);
/// Long enough to see that nothing arrives.
const A_MOMENT: Duration = Duration::from_millis(100);

/// The two ends of a connection through a relay.
struct Line {
    relay: Relay,
    listener: TcpListener,
    client: TcpStream,
    broker: TcpStream,
}

impl Line {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::to(listener.local_addr().unwrap().to_string()).await;
        let client = TcpStream::connect(relay.address()).await.unwrap();
        let (broker, _) = listener.accept().await.unwrap();
        Self { relay, listener, client, broker }
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 64];
    let size = timeout(SOON, stream.read(&mut buffer)).await.expect("something comes").unwrap();
    String::from_utf8_lossy(&buffer[..size]).into_owned()
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(A_MOMENT, stream.read(&mut [0; 64])).await.is_err()
}

async fn ends(stream: &mut TcpStream) -> bool {
    matches!(timeout(SOON, stream.read(&mut [0; 64])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn bytes_pass_both_ways_until_one_end_closes() {
    let Line { relay, mut client, mut broker, .. } = Line::new().await;
    client.write_all(b"question").await.unwrap();
    assert_eq!(read(&mut broker).await, "question");
    broker.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut client).await, "answer");
    assert_eq!((relay.accepted(), relay.open()), (1, 1));
    drop(broker);
    assert!(ends(&mut client).await);
    eventually("it is counted out", SOON, || (relay.open() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_cut_ends_only_open_connections() {
    let Line { relay, listener, mut client, mut broker } = Line::new().await;
    relay.cut();
    assert!(ends(&mut client).await && ends(&mut broker).await);
    let mut client = TcpStream::connect(relay.address()).await.unwrap();
    let (mut broker, _) = listener.accept().await.unwrap();
    client.write_all(b"again").await.unwrap();
    assert_eq!(read(&mut broker).await, "again");
    assert_eq!(relay.accepted(), 2);
}

#[tokio::test]
async fn a_cut_passes_exactly_the_given_bytes() {
    let Line { relay, mut client, mut broker, .. } = Line::new().await;
    relay.cut_after(6);
    client.write_all(b"1234").await.unwrap();
    assert_eq!(read(&mut broker).await, "1234");
    broker.write_all(b"5678").await.unwrap();
    assert_eq!(read(&mut client).await, "56");
    assert!(ends(&mut client).await && ends(&mut broker).await);
}

#[tokio::test]
async fn stalled_bytes_pass_later_but_swallowed_never() {
    let Line { relay, mut client, mut broker, .. } = Line::new().await;
    relay.stall(Direction::ToBroker);
    client.write_all(b"held").await.unwrap();
    broker.write_all(b"passes").await.unwrap();
    assert_eq!(read(&mut client).await, "passes");
    assert!(is_silent(&mut broker).await);
    relay.resume();
    assert_eq!(read(&mut broker).await, "held");

    relay.swallow(Direction::Both);
    client.write_all(b"lost").await.unwrap();
    broker.write_all(b"lost").await.unwrap();
    assert!(is_silent(&mut client).await && is_silent(&mut broker).await);
    relay.resume();
    client.write_all(b"here").await.unwrap();
    assert_eq!(read(&mut broker).await, "here");
}

#[tokio::test]
async fn a_delay_holds_every_piece_back() {
    let Line { relay, mut client, mut broker, .. } = Line::new().await;
    relay.delay(A_MOMENT);
    let began = Instant::now();
    client.write_all(b"late").await.unwrap();
    assert_eq!(read(&mut broker).await, "late");
    assert!(began.elapsed() >= A_MOMENT);
}

#[tokio::test]
async fn refused_clients_may_connect_later() {
    let Line { relay, mut client, mut broker, .. } = Line::new().await;
    relay.refuse();
    let refused = || std::net::TcpStream::connect(relay.address()).err();
    eventually("connections are refused", SOON, refused).await;
    client.write_all(b"kept").await.unwrap();
    assert_eq!(read(&mut broker).await, "kept", "what is open goes on");
    relay.resume();
    let accepted = || std::net::TcpStream::connect(relay.address()).ok();
    eventually("connections are accepted again", SOON, accepted).await;
}
