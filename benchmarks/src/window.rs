//! Calls that are futures, so many at a time.

use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::arguments::Load;
use crate::{Failure, LeastClient, Meter, Report, begin};

/// How many calls go ahead of those that are measured, at least.
const WARM_UP: usize = 200;

/// Makes the calls of a load, each with its number; warms up before.
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

/// Makes the calls of a load from as many tasks as are to be in flight, each with its numbers; warms up before.
///
/// # Errors
///
/// The first failure of a call.
pub async fn keep_in_tasks<C>(
    load: Load,
    call: impl Fn(u64) -> C + Clone + Send + 'static,
) -> Result<Report, Failure>
where
    C: Future<Output = Result<(), Failure>> + Send,
{
    in_tasks(load.window, load.total.min(WARM_UP.max(2 * load.window)), &call).await?;
    begin();
    Ok(in_tasks(load.window, load.total, &call).await?.report())
}

async fn in_tasks<C, F>(window: usize, total: usize, call: &F) -> Result<Meter, Failure>
where
    C: Future<Output = Result<(), Failure>> + Send,
    F: Fn(u64) -> C + Clone + Send + 'static,
{
    let mut meter = Meter::start(total);
    let mut tasks = JoinSet::new();
    for first in (0u64..).take(window) {
        let call = call.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            for number in (first..).step_by(window).take_while(|number| *number < total as u64) {
                let began = Instant::now();
                call(number).await?;
                took.push(began.elapsed());
            }
            Ok::<_, Failure>(took)
        });
    }
    while let Some(took) = tasks.join_next().await {
        took??.into_iter().for_each(|took| meter.ended(took));
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
