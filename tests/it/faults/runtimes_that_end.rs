//! A broker in a `static`, used from several runtimes one after the other.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rpc_runtime::{Broker, BrokerStatus, CallError, Server, discovery::Discovery};
use rpc_tests::{Rabbit, unique};
use tokio::runtime::{Builder, Runtime};

use super::AT_ONCE;
use crate::brokers::{Inside, SOON, SampleClient, SampleServer, assert_ended, queue};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A broker connected on one runtime, and a server on another.
struct Bench {
    broker: Broker,
    first: Runtime,
    serving: Runtime,
    server: Option<Server>,
    queue: String,
    inside: Inside,
}

impl Bench {
    fn in_memory() -> Self {
        let broker = Broker::in_memory();
        Self::new(broker.clone(), &broker)
    }

    fn rabbitmq() -> Self {
        // Worker threads run it outside `block_on`.
        let first = threads();
        let (broker, other) = first.block_on(async {
            let url = Rabbit::shared().await.url();
            (Broker::connect(url).await.unwrap(), url)
        });
        let serving = threads();
        let serving_broker = serving.block_on(Broker::connect(other)).unwrap();
        Self::on(broker, first, &serving_broker, serving)
    }

    fn new(broker: Broker, serving_broker: &Broker) -> Self {
        Self::on(broker, one_thread(), serving_broker, threads())
    }

    fn on(broker: Broker, first: Runtime, serving_broker: &Broker, serving: Runtime) -> Self {
        let (queue_name, inside) = (unique("runtimes"), Inside::new());
        // The first use: the tasks of the broker run on this runtime.
        let nobody = SampleClient::builder(&broker).queue(unique("nobody")).build();
        assert_ended!(first.block_on(nobody.add(1, 2)), Err(CallError::NoServer));
        let server = Server::builder(serving_broker)
            .service_on(queue(&queue_name), SampleServer::new(inside.clone()))
            .start();
        let server = Some(serving.block_on(server).unwrap());
        Self { broker, first, serving, server, queue: queue_name, inside }
    }

    fn client(&self) -> SampleClient {
        SampleClient::builder(&self.broker).queue(&self.queue).build()
    }

    fn end(mut self) {
        let server = self.server.take().unwrap();
        self.serving.block_on(server.shutdown()).unwrap();
    }
}

/// Row 35.
fn calls_go_on_from_runtime_to_runtime(bench: Bench) {
    let client = bench.client();
    assert_eq!(bench.first.block_on(client.add(1, 2)).unwrap(), 3);
    let mut before = bench.first;
    for turn in 0..4 {
        drop(before);
        let runtime = if turn % 2 == 0 { threads() } else { one_thread() };
        let started = Instant::now();
        let sum = runtime.block_on(async { tokio::spawn(client.add(turn, 1)).await });
        assert_eq!(sum.unwrap().unwrap(), turn + 1);
        assert!(started.elapsed() < SOON / 2, "it does not wait for its deadline");
        let asked = runtime.block_on(async {
            Discovery::new(&bench.broker).timeout(Duration::from_secs(2)).ping().await
        });
        asked.unwrap();
        assert!(matches!(bench.broker.status(), BrokerStatus::Connected));
        before = runtime;
    }
    drop(before);
    assert_eq!(bench.broker.in_flight(), 0);
    let rest = Bench { first: one_thread(), ..bench };
    rest.end();
}

#[test]
fn a_static_broker_in_memory_outlives_its_runtimes() {
    calls_go_on_from_runtime_to_runtime(Bench::in_memory());
}

#[test]
fn a_static_broker_of_rabbitmq_outlives_its_runtimes() {
    let bench = Bench::rabbitmq();
    calls_go_on_from_runtime_to_runtime(bench);
}

/// Row 35: a call is in flight on one runtime when the runtime of the broker's connection ends.
fn calls_survive_the_end_of_another_runtime(bench: Bench) {
    let second = threads();
    let client = bench.client();
    let lost = second.spawn(client.wait(1));
    let again = second.spawn(client.again(2));
    second.block_on(bench.inside.has_started(2));

    let started = Instant::now();
    drop(bench.first);
    let ended = second.block_on(lost).unwrap();
    assert_ended!(ended, Err(CallError::ConnectionLost { may_have_run: true }));
    assert!(started.elapsed() < AT_ONCE * 2, "{:?}", started.elapsed());

    second.block_on(bench.inside.has_started(3));
    bench.inside.gate.add_permits(3);
    assert_eq!(second.block_on(again).unwrap().unwrap(), 2);
    assert_eq!(second.block_on(client.add(3, 4)).unwrap(), 7);
    assert!(bench.inside.started.load(Ordering::SeqCst) >= 3);
    let rest = Bench { first: one_thread(), ..bench };
    rest.end();
}

#[test]
fn calls_in_memory_survive_the_runtime_of_others() {
    calls_survive_the_end_of_another_runtime(Bench::in_memory());
}

#[test]
fn calls_over_rabbitmq_survive_the_runtime_of_others() {
    calls_survive_the_end_of_another_runtime(Bench::rabbitmq());
}

/// Row 35.
#[test]
fn the_status_is_not_connected_after_the_runtime() {
    let bench = Bench::rabbitmq();
    assert!(matches!(bench.broker.status(), BrokerStatus::Connected));
    drop(bench.first);
    assert!(matches!(bench.broker.status(), BrokerStatus::Connecting));
    let rest = Bench { first: one_thread(), ..bench };
    rest.end();
}
