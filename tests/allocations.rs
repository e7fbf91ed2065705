//! What a call costs in allocations, with and without layers. A binary of its own: it counts in the allocator.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

use allocation_counter::measure;
use rpc_runtime::{Broker, Server, ServerBuilder, middleware::Request, rpc_service};
use tower::{ServiceBuilder, layer::util::Identity, util::MapRequestLayer};

#[rpc_service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Plain;

impl Adder for Plain {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

const CALLS: u32 = 1_000;

/// How many allocations a call takes, at both ends together; the broker's own are the same each time.
fn allocations(
    client: impl FnOnce(Broker) -> AdderClient,
    server: fn(ServerBuilder) -> ServerBuilder,
) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let broker = Broker::in_memory();
    let builder = server(Server::builder(&broker).service(AdderServer::new(Plain)));
    let _server = runtime.block_on(builder.start()).unwrap();
    let client = client(broker);
    let call = async || assert_eq!(client.add(1, 2).await.unwrap(), 3);
    let calls = async |calls| {
        for _ in 0..calls {
            call().await;
        }
    };
    // What grows to a size and stays so has grown.
    runtime.block_on(calls(100));
    let counted = measure(|| runtime.block_on(calls(CALLS)));
    f64::from(u32::try_from(counted.count_total).unwrap()) / f64::from(CALLS)
}

fn assert_more(with: f64, without: f64, most: f64) {
    println!("{with} allocations a call, {without} without layers");
    // Less than one in a hundred calls has something grow.
    assert!(with - without <= most + 0.01, "{with} allocations, {without} without layers");
}

#[test]
fn layers_cost_an_allocation_for_each_that_is_added_and_none_within() {
    let plain = |server| server;
    let none = allocations(|broker| AdderClient::new(&broker), plain);
    assert_more(
        allocations(|broker| AdderClient::new(&broker.layer(Identity::new())), plain),
        none,
        1.0,
    );
    let stack = || {
        let pass = || MapRequestLayer::new(|request: Request| request);
        ServiceBuilder::new().layer(pass()).layer(pass()).concurrency_limit(10)
    };
    assert_more(allocations(|broker| AdderClient::new(&broker.layer(stack())), plain), none, 1.0);
    let two = |broker: Broker| AdderClient::new(&broker.layer(stack()).layer(stack()));
    assert_more(allocations(two, plain), none, 2.0);
    let server = |server: ServerBuilder| server.layer(Identity::new());
    assert_more(allocations(|broker| AdderClient::new(&broker), server), none, 1.0);
}
