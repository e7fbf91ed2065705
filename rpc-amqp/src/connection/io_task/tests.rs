use std::{task::Waker, thread, time::Duration};

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::timeout,
};

use super::*;
use crate::{
    ChannelWriter,
    protocol::{HEARTBEAT_FRAME, Tuning},
};

const SOON: Duration = Duration::from_secs(10);

/// The broker's end of a socket, and a connection over the other end.
struct Bench {
    broker: DuplexStream,
    shared: Arc<Shared>,
}

impl Bench {
    /// The bytes received after the handshake, and the heartbeat interval.
    fn new(came: &[u8], every: Option<Duration>) -> Self {
        let (io_task, bench) = Self::with_io_task(came, every);
        tokio::spawn(io_task);
        bench
    }

    fn with_io_task(came: &[u8], every: Option<Duration>) -> (IoTask, Self) {
        let (broker, socket) = duplex(CHUNK);
        let tuning = Tuning { channel_max: 9, frame_max: 4096, heartbeat: 0 };
        let (mut io_task, shared) =
            IoTask::new(Box::new(socket), Agreed { tuning, came: came.into() }, None);
        io_task.heartbeat = every.map(Heartbeat::every);
        (io_task, Self { broker, shared })
    }

    async fn heard(&mut self, bytes: &[u8]) {
        let mut heard = vec![0; bytes.len()];
        timeout(SOON, self.broker.read_exact(&mut heard)).await.unwrap().unwrap();
        assert_eq!(heard, bytes);
    }

    async fn ended(&self) -> Error {
        let mut ended = self.shared.ended();
        let ended = timeout(SOON, ended.wait_for(Option::is_some)).await.unwrap();
        ended.unwrap().clone().unwrap()
    }
}

/// The output of a future that is ready at once.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A method of the connection class with a short text, and the arguments after it.
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

fn ask(shared: &Shared, writer: &ChannelWriter) -> Result<(), Error> {
    shared.ask(writer, &Command::Confirm).map(drop)
}

#[tokio::test]
async fn frames_right_behind_the_handshake_are_read() {
    let bench = Bench::new(&method(60, &[], "low on memory", &[]), None);
    let mut blocked = bench.shared.blocked().subscribe();
    let blocked = timeout(SOON, blocked.wait_for(|blocked| blocked.alarm.is_some())).await;
    assert_eq!(blocked.unwrap().unwrap().alarm.as_deref(), Some("low on memory"));
}

#[tokio::test]
async fn nothing_is_sent_after_the_broker_closes() {
    let mut bench = Bench::new(&[], None);
    let writer = bench.shared.reserve().unwrap();
    ask(&bench.shared, &writer).unwrap();
    bench.heard(&frame(&Command::Confirm, 1)).await;
    bench.broker.write_all(&method(50, &[1, 64], "maintenance", &[0; 4])).await.unwrap();
    bench.heard(&frame(&Command::CloseConnectionOk, 0)).await;
    let mut more = Vec::new();
    timeout(SOON, bench.broker.read_to_end(&mut more)).await.unwrap().unwrap();
    assert!(more.is_empty(), "{more:?}");
    let why = bench.ended().await;
    assert!(matches!(&why, Error::ConnectionClosed(why) if why.text == "maintenance"), "{why:?}");
    assert!(matches!(ask(&bench.shared, &writer), Err(Error::ConnectionClosed(_))));
    assert!(matches!(bench.shared.reserve(), Err(Error::ConnectionClosed(_))));
}

#[tokio::test]
async fn closing_ends_when_the_broker_agrees() {
    let mut bench = Bench::new(&[], None);
    bench.shared.close();
    bench.heard(&frame(&Command::CloseConnection, 0)).await;
    bench.broker.write_all(&frame(&Command::CloseConnectionOk, 0)).await.unwrap();
    assert!(matches!(bench.ended().await, Error::Closed));
}

#[tokio::test(start_paused = true)]
async fn closing_ends_without_an_answer() {
    let mut bench = Bench::new(&[], None);
    bench.shared.close();
    bench.heard(&frame(&Command::CloseConnection, 0)).await;
    assert!(matches!(bench.ended().await, Error::Closed));
}

#[tokio::test]
async fn other_protocols_end_the_connection() {
    let mut bench = Bench::new(&[], None);
    bench.broker.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let why = bench.ended().await;
    assert!(matches!(&why, Error::Lost(error) if error.to_string().contains("no AMQP")), "{why:?}");
}

#[tokio::test]
async fn silent_broker_gets_heartbeats_and_times_out() {
    // Long enough that a busy machine does not miss a heartbeat.
    let mut bench = Bench::new(&[], Some(Duration::from_secs(1)));
    bench.heard(&HEARTBEAT_FRAME).await;
    let why = bench.ended().await;
    assert!(
        matches!(&why, Error::Lost(error) if error.kind() == io::ErrorKind::TimedOut),
        "{why:?}"
    );
}

/// Blocks this process for a while, as a stopped process or a blocking handler does.
#[tokio::test]
async fn unread_heartbeats_keep_a_connection_after_a_stall() {
    let (mut io_task, mut bench) = Bench::with_io_task(&[], Some(Duration::from_millis(200)));
    assert!(now(&mut io_task).is_none());
    bench.broker.write_all(&HEARTBEAT_FRAME).await.unwrap();
    thread::sleep(Duration::from_millis(500));
    // The timer fires now.
    sleep(Duration::from_millis(1)).await;
    assert!(now(&mut io_task).is_none());
}

#[tokio::test]
async fn a_stall_is_named_when_the_connection_goes() {
    let (mut io_task, Bench { broker, shared }) =
        Bench::with_io_task(&[], Some(Duration::from_millis(100)));
    assert!(now(&mut io_task).is_none());
    drop(broker);
    thread::sleep(Duration::from_millis(400));
    assert!(now(&mut io_task).is_some());
    drop(io_task);
    let why = shared.ended().borrow().clone();
    let Some(Error::Lost(error)) = why else { panic!("{why:?}") };
    assert!(error.to_string().contains("stood still"), "{error}");
}

#[tokio::test]
async fn a_loss_without_a_stall_names_none() {
    let mut bench = Bench::new(&[], Some(Duration::from_secs(5)));
    bench.heard(&[]).await;
    let Bench { broker, shared } = bench;
    drop(broker);
    let mut ended = shared.ended();
    timeout(SOON, ended.wait_for(Option::is_some)).await.unwrap().unwrap();
    let why = shared.ended().borrow().clone();
    let Some(Error::Lost(error)) = why else { panic!("{why:?}") };
    assert!(!error.to_string().contains("stood still"), "{error}");
}
