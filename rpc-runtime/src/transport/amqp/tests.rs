use bytes::BytesMut;
use tokio::io::{DuplexStream, duplex};

use super::{wire::Tuning, *};
use crate::{client::Pending, transport::Queue};

/// A connection to a broker that reads everything and answers nothing.
fn deaf() -> (AmqpLink, DuplexStream) {
    let (broker, socket) = duplex(1024 * 1024);
    let tuning = Tuning { channels: 100, largest_frame: 4096, heartbeat: 0 };
    let (pump, mux) = Pump::new(Box::new(socket), Agreed { tuning, came: BytesMut::new() });
    tasks::spawn(pump);
    (AmqpLink::new(mux, "ada".into(), transport().0), broker)
}

fn transport() -> AmqpTransport {
    AmqpTransport::new(&AmqpOptions {
        addresses: &["amqp://a".to_owned(), "amqp://b".to_owned()],
        name: "test",
        heartbeat: Duration::from_secs(8),
        tls: &Tls::default(),
        external: false,
    })
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn opening_ends_where_the_broker_never_answers() {
    let (link, _broker) = deaf();
    let worker = WorkerOptions {
        queue: Queue::named("q"),
        prefetch: 1,
        exchange: String::new(),
        max_request: 1,
        undeliverable: Arc::default(),
        refused: Arc::default(),
    };
    let listener = ListenerOptions {
        exchange: "e".to_owned(),
        keys: Vec::new(),
        prefetch: 1,
        max_length: 1,
        undeliverable: Arc::default(),
    };
    let caller = CallerOptions::default();
    let checked = CallerOptions { exchange: "e".to_owned(), ..CallerOptions::default() };
    for error in [
        link.open_worker(worker).await.err(),
        link.open_listener(listener).await.err(),
        link.open_caller(caller, Pending::new(1)).await.err(),
        link.open_caller(checked, Pending::new(1)).await.err(),
        link.queue_state("q").await.err(),
    ] {
        let error = error.unwrap();
        assert!(!error.is_permanent());
        assert!(error.whole().to_string().contains("did not answer within 30s"), "{error:?}");
    }
    // A shutdown ends, too.
    let start = Instant::now();
    link.close().await;
    assert!(start.elapsed() <= CLOSE_WITHIN);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_is_named_as_the_reason_for_silence() {
    let (link, _broker) = deaf();
    link.mux.blocked().send_modify(|blocked| blocked.alarm = Some("low on memory".into()));
    let error = link.queue_state("q").await.unwrap_err();
    assert!(error.whole().to_string().contains("low on memory"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn channels_that_are_used_up_are_named() {
    let (link, _broker) = deaf();
    let ports: Vec<_> = (0..100).map(|_| link.mux.reserve().unwrap()).collect();
    let error = link.queue_state("q").await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("`channel_max`"), "{error}");
    drop(ports);
}

#[test]
fn any_of_several_addresses_may_be_the_first() {
    let first = || transport().0.next.load(Ordering::Relaxed) % 2;
    let firsts: Vec<usize> = (0..64).map(|_| first()).collect();
    assert!(firsts.contains(&0) && firsts.contains(&1), "{firsts:?}");
}
