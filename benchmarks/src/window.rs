//! Keeps a number of calls in flight.

use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::arguments::Load;
use crate::{Failure, LeastClient, Meter, Report, begin};

/// Least number of calls before the measured ones.
const WARM_UP: usize = 200;

/// Makes the calls of a load, each with its number, after a warm-up.
///
/// # Errors
///
/// The first failure of a call.
pub async fn keep_in_flight<C>(load: Load, call: impl Fn(u64) -> C) -> Result<Report, Failure>
where
    C: Future<Output = Result<(), Failure>>,
{
    run(load.window, load.total.min(WARM_UP.max(2 * load.window)), &call).await?;
    begin();
    Ok(run(load.window, load.total, &call).await?.report())
}

async fn run<C>(window: usize, total: usize, call: impl Fn(u64) -> C) -> Result<Meter, Failure>
where
    C: Future<Output = Result<(), Failure>>,
{
    let timed = |number| {
        let began = Instant::now();
        let call = call(number);
        async move { call.await.map(|()| began.elapsed()) }
    };
    let mut meter = Meter::start(total);
    let mut numbers = (0u64..).take(total);
    let mut calls: FuturesUnordered<_> = numbers.by_ref().take(window).map(timed).collect();
    while let Some(took) = calls.next().await {
        meter.ended(took?);
        calls.extend(numbers.next().map(timed));
    }
    Ok(meter)
}

/// Calls [`Least::inc`](crate::Least::inc) so many times.
///
/// # Errors
///
/// The first failure of a call.
pub async fn increment(load: Load, client: &LeastClient) -> Result<Report, Failure> {
    let call = |n| {
        let call = client.inc(n);
        async move { if call.await? == n + 1 { Ok(()) } else { Err("not the next number".into()) } }
    };
    keep_in_flight(load, call).await
}
