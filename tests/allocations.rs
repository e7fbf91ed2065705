//! Counts the allocations of a call, with and without layers. A binary of its own, because it replaces the allocator.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

use std::time::{Duration, Instant};

use allocation_counter::measure;
use rpc_runtime::{
    Broker, Server, ServerBuilder, discovery::Discovery, middleware::Request, rpc_service,
};
use rpc_tests::{Node, Python};
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

/// The allocations of a call at both ends together, and in the broker, which are the same each time.
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
    // After a warm-up, reused buffers have their final size.
    runtime.block_on(calls(100));
    let counted = measure(|| runtime.block_on(calls(CALLS)));
    f64::from(u32::try_from(counted.count_total).unwrap()) / f64::from(CALLS)
}

fn assert_more(with: f64, without: f64, most: f64) {
    println!("{with} allocations a call, {without} without layers");
    // Allows growth of a buffer in one of a hundred calls.
    assert!(with - without <= most + 0.01, "{with} allocations, {without} without layers");
}

#[test]
fn each_added_layer_costs_one_allocation() {
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

/// Forged answers of a mebibyte each, with values that take a hundred times the memory of their text. Without bounds, reading
/// them takes gigabytes and many times the time limit.
#[test]
fn forged_answers_take_bounded_memory_and_time() {
    const SOON: Duration = Duration::from_secs(20);
    const MOST: u64 = 400 * 1024 * 1024;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let node = runtime.block_on(Node::start());
    let methods = r#"{"instance":"NUMBER","services":[{"name":"S","methods":[{"name":"m""#;
    let schema = format!(r#"{methods},"result_schema":[0"#);
    for (piece, head, tail) in [
        (r#",{"":0}"#, schema.as_str(), "]}]}]}"),
        (r#",{"name":""}"#, &format!("{methods}}}"), "]}]}"),
        (r#",{"name":""}"#, r#"{"instance":"NUMBER","services":[{"name":"S"}"#, "]}"),
        ("[", r#"{"instance":"NUMBER","services":"#, ""),
    ] {
        let broker = runtime.block_on(Broker::connect(&node.url())).unwrap();
        let arguments = [&node.url(), "62", "1048576", piece, head, tail];
        let forger = runtime.block_on(async {
            let forger = Python::find().start("forged_answers.py", &arguments);
            forger.line_with("listening", SOON).await;
            forger
        });
        let (started, discovery) = (Instant::now(), Discovery::new(&broker));
        let mut infos = Vec::new();
        let measured = measure(|| infos = runtime.block_on(discovery.info()).unwrap());
        let (took, dropped) = (started.elapsed(), discovery.dropped());
        println!(
            "{} answers, {dropped} dropped, {} bytes, {took:?}",
            infos.len(),
            measured.bytes_max
        );
        assert!(measured.bytes_max < MOST, "{} bytes", measured.bytes_max);
        assert!(took < SOON, "{took:?}");
        assert!(infos.len() as u64 + dropped <= 62 && infos.len() as u64 + dropped > 0);
        runtime.block_on(async {
            forger.success(SOON).await;
            broker.close().await;
        });
    }
}
