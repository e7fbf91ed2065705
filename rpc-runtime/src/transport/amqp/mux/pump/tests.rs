use std::{thread, time::Duration};

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};

use super::*;
use crate::{
    tasks,
    transport::amqp::{
        mux::Port,
        wire::{HEARTBEAT_FRAME, Tuning},
    },
};

const SOON: Duration = Duration::from_secs(10);

/// The broker's end of a socket, and the inside of a connection over the other.
struct Bench {
    broker: DuplexStream,
    mux: Arc<Mux>,
}

impl Bench {
    /// What came behind the handshake, and how often both give a sign of life.
    fn new(came: &[u8], every: Option<Duration>) -> Self {
        let (pump, bench) = Self::with_pump(came, every);
        tokio::spawn(pump);
        bench
    }

    fn with_pump(came: &[u8], every: Option<Duration>) -> (Pump, Self) {
        let (broker, socket) = duplex(CHUNK);
        let tuning = Tuning { channels: 9, largest_frame: 4096, heartbeat: 0 };
        let (mut pump, mux) = Pump::new(Box::new(socket), Agreed { tuning, came: came.into() });
        pump.heartbeat = every.map(Heartbeat::every);
        (pump, Self { broker, mux })
    }

    async fn heard(&mut self, bytes: &[u8]) {
        let mut heard = vec![0; bytes.len()];
        timeout(SOON, self.broker.read_exact(&mut heard)).await.unwrap().unwrap();
        assert_eq!(heard, bytes);
    }

    async fn ended(&self) -> Ended {
        let mut ended = self.mux.ended();
        let ended = timeout(SOON, ended.wait_for(Option::is_some)).await.unwrap();
        ended.unwrap().clone().unwrap()
    }
}

/// A method of the connection with a short text, and what follows that.
fn method(id: u8, before: &[u8], text: &str, after: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    let payload = [&[0, 10, 0, id][..], before, &[length], text.as_bytes(), after].concat();
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[1, 0, 0][..], &size, &payload, &[0xce]].concat()
}

fn frame(command: &Command<'_>, channel: u16) -> BytesMut {
    let mut frame = BytesMut::new();
    command.write(&mut frame, channel);
    frame
}

fn ask(mux: &Mux, port: &Port) -> Result<(), Ended> {
    mux.ask(port, &Command::Confirm).map(drop)
}

#[tokio::test]
async fn what_came_behind_the_handshake_is_heard() {
    let bench = Bench::new(&method(60, &[], "low on memory", &[]), None);
    let mut blocked = bench.mux.blocked().subscribe();
    let blocked = timeout(SOON, blocked.wait_for(|blocked| blocked.alarm.is_some())).await;
    assert_eq!(blocked.unwrap().unwrap().alarm.as_deref(), Some("low on memory"));
}

#[tokio::test]
async fn a_dismissal_is_agreed_to_after_which_nothing_goes_out() {
    let mut bench = Bench::new(&[], None);
    let port = bench.mux.reserve().unwrap();
    ask(&bench.mux, &port).unwrap();
    bench.heard(&frame(&Command::Confirm, 1)).await;
    bench.broker.write_all(&method(50, &[1, 64], "maintenance", &[0; 4])).await.unwrap();
    bench.heard(&frame(&Command::CloseConnectionOk, 0)).await;
    let mut more = Vec::new();
    timeout(SOON, bench.broker.read_to_end(&mut more)).await.unwrap().unwrap();
    assert!(more.is_empty(), "{more:?}");
    let why = bench.ended().await;
    assert!(matches!(&why, Ended::Dismissed(why) if why.text == "maintenance"), "{why:?}");
    assert!(matches!(ask(&bench.mux, &port), Err(Ended::Dismissed(_))));
    assert!(matches!(bench.mux.reserve(), Err(Ended::Dismissed(_))));
}

#[tokio::test]
async fn a_goodbye_that_is_agreed_to_ends_the_connection() {
    let mut bench = Bench::new(&[], None);
    bench.mux.say_goodbye();
    bench.heard(&frame(&Command::CloseConnection, 0)).await;
    bench.broker.write_all(&frame(&Command::CloseConnectionOk, 0)).await.unwrap();
    assert!(matches!(bench.ended().await, Ended::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_nobody_answers_ends_it_all_the_same() {
    let mut bench = Bench::new(&[], None);
    bench.mux.say_goodbye();
    bench.heard(&frame(&Command::CloseConnection, 0)).await;
    assert!(matches!(bench.ended().await, Ended::Closed));
}

#[tokio::test]
async fn what_is_no_amqp_ends_the_connection_and_says_so() {
    let mut bench = Bench::new(&[], None);
    bench.broker.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let why = bench.ended().await;
    assert!(matches!(&why, Ended::Lost(error) if error.to_string().contains("no AMQP")), "{why:?}");
}

#[tokio::test]
async fn who_has_nothing_to_say_gives_signs_of_life_and_wants_some() {
    // So long that a busy machine does not skip the signs.
    let mut bench = Bench::new(&[], Some(Duration::from_secs(1)));
    bench.heard(&HEARTBEAT_FRAME).await;
    let why = bench.ended().await;
    assert!(
        matches!(&why, Ended::Lost(error) if error.kind() == io::ErrorKind::TimedOut),
        "{why:?}"
    );
}

/// This process stands still for a while, as one does that is stopped or whose handlers block.
#[tokio::test]
async fn a_broker_is_alive_whose_signs_of_life_have_not_been_read_yet() {
    let (mut pump, mut bench) = Bench::with_pump(&[], Some(Duration::from_millis(200)));
    assert!(tasks::now(&mut pump).is_none());
    bench.broker.write_all(&HEARTBEAT_FRAME).await.unwrap();
    thread::sleep(Duration::from_millis(500));
    // The timer goes off now.
    sleep(Duration::from_millis(1)).await;
    assert!(tasks::now(&mut pump).is_none());
}

#[tokio::test]
async fn a_stall_is_named_when_the_connection_goes() {
    let (mut pump, Bench { broker, mux }) = Bench::with_pump(&[], Some(Duration::from_millis(100)));
    assert!(tasks::now(&mut pump).is_none());
    drop(broker);
    thread::sleep(Duration::from_millis(400));
    assert!(tasks::now(&mut pump).is_some());
    drop(pump);
    let why = mux.ended().borrow().clone();
    let Some(Ended::Lost(error)) = why else { panic!("{why:?}") };
    assert!(error.to_string().contains("stood still"), "{error}");
}

#[tokio::test]
async fn a_loss_without_a_stall_names_none() {
    let mut bench = Bench::new(&[], Some(Duration::from_secs(5)));
    bench.heard(&[]).await;
    let Bench { broker, mux } = bench;
    drop(broker);
    let mut ended = mux.ended();
    timeout(SOON, ended.wait_for(Option::is_some)).await.unwrap().unwrap();
    let why = mux.ended().borrow().clone();
    let Some(Ended::Lost(error)) = why else { panic!("{why:?}") };
    assert!(!error.to_string().contains("stood still"), "{error}");
}
