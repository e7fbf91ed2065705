//! The parts of a call, each measured alone: `cargo bench -p rpc-benchmarks`.

#![allow(
    clippy::expect_used,
    reason = "what is measured here has been tested; a benchmark could do nothing else"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use rpc_benchmarks::{LeastClient, LeastServer, Worker};
use rpc_runtime::__bench::{Calls, Envelope, decode, encode};
use rpc_runtime::{Broker, Encoding, Payload, Server};
use serde_bytes::ByteBuf;
use tokio::runtime::{Builder, Runtime};

const SIZES: [usize; 2] = [1024, 65_536];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    codec(&mut criterion);
    envelope(&mut criterion);
    pending(&mut criterion);
    dispatch(&mut criterion);
    criterion.final_summary();
}

fn codec(criterion: &mut Criterion) {
    both_ways(criterion, "a number", 8, &(30u64,));
    both_ways(
        criterion,
        "a row",
        64,
        &(30u64, "somebody".to_owned(), Some(1.5f64), vec![1u32, 2, 3]),
    );
    for size in SIZES {
        both_ways(criterion, "ByteBuf", size, &(ByteBuf::from(vec![0x5a; size]),));
        both_ways(criterion, "Vec<u8>", size, &(vec![0x5au8; size],));
    }
}

fn both_ways<A: Payload>(criterion: &mut Criterion, name: &str, bytes: usize, arguments: &A) {
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let body = encode(arguments, encoding).expect("it can be written");
        let id = BenchmarkId::new(name, bytes);
        let mut group = criterion.benchmark_group(format!("encode, {encoding}"));
        group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or(u64::MAX)));
        group.bench_function(id.clone(), |bencher| bencher.iter(|| encode(arguments, encoding)));
        group.finish();
        let mut group = criterion.benchmark_group(format!("decode, {encoding}"));
        group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or(u64::MAX)));
        group.bench_function(id, |bencher| bencher.iter(|| decode::<A>(&body, encoding)));
        group.finish();
    }
}

fn envelope(criterion: &mut Criterion) {
    let envelope = Envelope::new().expect("a request has a return address");
    let mut group = criterion.benchmark_group("envelope");
    group.bench_function("write request", |bencher| bencher.iter(|| envelope.write_request()));
    group.bench_function("read request", |bencher| bencher.iter(|| envelope.read_request()));
    group.bench_function("write reply", |bencher| bencher.iter(|| envelope.write_reply()));
    group.bench_function("read reply", |bencher| {
        bencher.iter_batched(|| envelope.received(), Envelope::read_reply, BatchSize::SmallInput);
    });
    group.finish();
}

/// Adds a call to the table and removes it for its reply, including the writing of both messages.
fn pending(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a thread is there");
    let _entered = runtime.enter();
    let mut group = criterion.benchmark_group("pending table");
    for others in [0, 1_000, 100_000] {
        let calls = Calls::new(others);
        group.bench_with_input(BenchmarkId::from_parameter(others), &calls, |bencher, calls| {
            bencher.iter(|| black_box(calls.answered().now_or_never()));
        });
    }
    group.finish();
}

/// Whole calls over the broker in memory, on one thread.
fn dispatch(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a thread is there");
    let mut group = criterion.benchmark_group("in memory");
    for window in [1, 256] {
        group.bench_with_input(BenchmarkId::from_parameter(window), &window, |bencher, &window| {
            bencher.iter_custom(|calls| run(&runtime, calls, window));
        });
    }
    group.finish();
}

fn run(runtime: &Runtime, calls: u64, window: usize) -> Duration {
    runtime.block_on(async {
        let broker = Broker::in_memory();
        let starting = Server::builder(&broker).service(LeastServer::new(Worker)).start();
        let _server = starting.await.expect("a server starts in memory");
        let client = LeastClient::new(&broker);
        client.inc(0).await.expect("it answers");
        let began = Instant::now();
        let answers = stream::iter((0..calls).map(|n| client.inc(n))).buffer_unordered(window);
        let answers = answers.filter(|answer| std::future::ready(answer.is_ok())).count().await;
        assert_eq!(u64::try_from(answers).ok(), Some(calls), "every call is answered");
        began.elapsed()
    })
}
