//! `rpc bench`: many calls, measured.

mod report;
mod tally;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use rpc_runtime::CallError;
use tokio::{signal::ctrl_c, task::JoinSet, time::interval};

use self::{report::Report, tally::Tally};
use super::{connect, target::Prepared};
use crate::{
    cli::{BenchArgs, Global, Output},
    failure::{Failure, Kind},
    show::{json, line},
};

/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(100);

pub(super) async fn run(global: &Global, arguments: &BenchArgs) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let prepared = Arc::new(Prepared::new(&broker, global, &arguments.target).await?);
    // One call that is not measured. It shows errors at once, and declares the callback queue.
    match prepared.call().await {
        Ok(_) | Err(CallError::Application(_)) => {}
        Err(error) => return Err(prepared.explain(error).await),
    }
    let (mut tally, took) = measure(&prepared, arguments).await;
    let first_error = match tally.take_first_error() {
        Some(error) => Some(prepared.explain(error).await),
        None => None,
    };
    let first_error = first_error.as_ref().map(Failure::message);
    let report =
        Report::new(&arguments.target.method, arguments.concurrency, took, &tally, first_error);
    if global.output == Output::Json {
        json(&report)?;
    } else {
        line(report.text(&tally))?;
    }
    if tally.succeeded() == 0 {
        return Err(Failure::new(Kind::Error, "no call ended with a result"));
    }
    Ok(())
}

/// Calls until the time is over or Ctrl-C, then waits for the calls in flight.
async fn measure(prepared: &Arc<Prepared>, arguments: &BenchArgs) -> (Tally, Duration) {
    let (started, calls) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let until = started + arguments.duration;
    let stop = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..arguments.concurrency {
        let (prepared, calls, stop) = (prepared.clone(), calls.clone(), stop.clone());
        workers.spawn(async move {
            let mut tally = Tally::new();
            while Instant::now() < until && stop.load(Ordering::Relaxed) == 0 {
                let started = Instant::now();
                let ended = prepared.call().await;
                tally.count(started.elapsed(), ended);
                calls.fetch_add(1, Ordering::Relaxed);
            }
            tally
        });
    }
    let bar = progress(arguments.duration);
    let (mut tally, mut ticks) = (Tally::new(), interval(TICK));
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                Some(Ok(part)) => tally.add(part),
                Some(Err(_)) => {}
                None => break,
            },
            _ = ticks.tick() => {
                let (elapsed, calls) = (started.elapsed(), calls.load(Ordering::Relaxed));
                bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
                bar.set_message(format!("{:.0} calls/s", tally::rate(calls, elapsed)));
            }
            Ok(()) = ctrl_c() => stop.store(1, Ordering::Relaxed),
        }
    }
    bar.finish_and_clear();
    (tally, started.elapsed())
}

/// A progress bar on the standard error, if it is a terminal.
fn progress(duration: Duration) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{bar:40} {elapsed} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
