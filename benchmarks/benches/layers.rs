//! The cost of layers for a call in memory: none, one that does nothing, and several.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot run has failed; criterion writes its functions"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rpc_runtime::{Broker, Server, ServerBuilder, middleware::Request, rpc_service};
use tokio::runtime::Runtime;
use tower::{ServiceBuilder, layer::util::Identity, util::MapRequestLayer};

#[rpc_service]
trait Least {
    async fn inc(&self, n: u64) -> u64;
}

struct Worker;

impl Least for Worker {
    async fn inc(&self, n: u64) -> u64 {
        n.wrapping_add(1)
    }
}

fn pass() -> MapRequestLayer<fn(Request) -> Request> {
    MapRequestLayer::new(|request| request)
}

fn layers(criterion: &mut Criterion) {
    let plain = |server: ServerBuilder| server;
    measure(criterion, "no layer", |broker| broker, plain);
    measure(criterion, "one at the client", |broker| broker.layer(Identity::new()), plain);
    let three = |broker: Broker| {
        broker.layer(ServiceBuilder::new().layer(pass()).layer(pass()).layer(pass()))
    };
    measure(criterion, "three at the client, as one", three, plain);
    let singly = |broker: Broker| broker.layer(pass()).layer(pass()).layer(pass());
    measure(criterion, "three at the client, one by one", singly, plain);
    let server = |server: ServerBuilder| server.layer(Identity::new());
    measure(criterion, "one at the server", |broker| broker, server);
}

fn measure(
    criterion: &mut Criterion,
    name: &str,
    client: fn(Broker) -> Broker,
    server: fn(ServerBuilder) -> ServerBuilder,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let broker = Broker::in_memory();
    let builder = server(Server::builder(&broker).service(LeastServer::new(Worker)));
    let _server = runtime.block_on(builder.start()).unwrap();
    let client = LeastClient::new(&client(broker));
    let call =
        |runtime: &Runtime| runtime.block_on(async { client.inc(black_box(1)).await.unwrap() });
    criterion.bench_function(name, |bencher| bencher.iter(|| call(&runtime)));
}

criterion_group!(benches, layers);
criterion_main!(benches);
