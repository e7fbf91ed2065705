//! Measures how long the macro takes, by number of methods.
//!
//! Only the compiler can link a procedural macro. So this program compiles the macro's modules again, from the same
//! files. They name each other from the root of the crate, so they are listed here as in `src/lib.rs`; a missing one is a
//! compile error. A separate library crate would be cleaner, but every user would have to download it.
//!
//! Outside the compiler, tokens are those of proc-macro2 and not rustc's, so the times are near those in a build but not
//! equal. There are two more differences: by default cargo builds macros without optimisation, also for a release
//! (`--profile dev` measures that), and rustc's share (parsing the trait, compiling the output) is not included.
//! `scripts/macro-cost` measures that share.

#![allow(
    dead_code,
    unused_imports,
    reason = "cargo sets `test` for benchmarks too, but without a harness the unit tests in these modules are left out"
)]
#![allow(clippy::single_match_else, reason = "as in `src/lib.rs`, whose modules these are")]

#[path = "../src/attributes.rs"]
mod attributes;
#[path = "../src/check/mod.rs"]
mod check;
#[path = "../src/duration.rs"]
mod duration;
#[path = "../src/errors.rs"]
mod errors;
#[path = "../src/expand/mod.rs"]
mod expand;
#[path = "../src/fallback.rs"]
mod fallback;
#[path = "../src/tests/large.rs"]
mod large;
#[path = "../src/model.rs"]
mod model;
#[path = "../src/options/mod.rs"]
mod options;
#[path = "../src/pipeline.rs"]
mod pipeline;
#[path = "../src/suggest.rs"]
mod suggest;
#[path = "../src/syntax.rs"]
mod syntax;
#[path = "../src/tidy.rs"]
mod tidy;
#[path = "../src/words.rs"]
mod words;

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use proc_macro2::TokenStream;
use quote::ToTokens as _;

const METHODS: [u32; 4] = [5, 10, 50, 100];

/// Number of measurements for the ratios.
const ROUNDS: usize = 101;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    times(&mut criterion);
    criterion.final_summary();
    // Cargo passes `--bench` when it runs benchmarks, and not when it runs them as tests.
    if env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}

/// Elements are methods. An equal rate at all sizes means that the time grows linearly.
fn times(criterion: &mut Criterion) {
    // Two names, so that criterion does not compare the two profiles.
    let optimized = !cfg!(debug_assertions);
    let mut group =
        criterion.benchmark_group(if optimized { "expansion" } else { "expansion, unoptimized" });
    group.sampling_mode(SamplingMode::Flat).sample_size(50);
    for methods in METHODS {
        let item = large::service(methods);
        group.throughput(Throughput::Elements(u64::from(methods)));
        group.bench_with_input(BenchmarkId::from_parameter(methods), &item, |bencher, item| {
            bencher.iter(|| expand(item));
        });
    }
    group.finish();
}

/// Measured in turns, so that other load on the machine affects all of them equally.
fn ratios() {
    let items = METHODS.map(large::service);
    let mut expanding = METHODS.map(|_| Vec::with_capacity(ROUNDS));
    let mut reading = METHODS.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (index, item) in items.iter().enumerate() {
            expanding[index].push(time(|| expand(item)));
            reading[index].push(time(|| read_and_write(item)));
        }
    }
    println!(
        "Ratios of medians of {ROUNDS} rounds; in brackets of the fastest, to which other programs add least."
    );
    println!(
        "methods   to syn reading and writing the trait   each method, to one of {}",
        METHODS[0]
    );
    let (expanding, reading) = (expanding.map(Times::of), reading.map(Times::of));
    for (index, methods) in METHODS.into_iter().enumerate() {
        let (expanding, reading, first) = (&expanding[index], &reading[index], &expanding[0]);
        let to_reading = expanding.to(reading, 1.0);
        let growth = expanding.to(first, f64::from(methods) / f64::from(METHODS[0]));
        println!("{methods:>7}   {to_reading:>36}   {growth:>24}");
    }
}

fn expand(item: &TokenStream) -> TokenStream {
    pipeline::rpc_service_tokens(TokenStream::new(), item, false)
}

/// The least work of any macro on a trait.
fn read_and_write(item: &TokenStream) -> TokenStream {
    syn::parse2::<syn::ItemTrait>(item.clone())
        .map(|item| item.to_token_stream())
        .unwrap_or_default()
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(work());
    let took = start.elapsed();
    drop(result);
    took
}

struct Times {
    median: Duration,
    fastest: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { median: times[times.len() / 2], fastest: times[0] }
    }

    /// The ratio of both times, if this did `share` times the work.
    fn to(&self, other: &Self, share: f64) -> String {
        let ratio =
            |this: Duration, other: Duration| this.as_secs_f64() / other.as_secs_f64() / share;
        format!(
            "{:.2} ({:.2})",
            ratio(self.median, other.median),
            ratio(self.fastest, other.fastest)
        )
    }
}
