//! Counts and measures a method: two atomic additions for each call, and one more for a failure.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

use super::histogram::Histogram;
use crate::{
    discovery::{Latency, MethodStats},
    fault::FaultKind,
    reply::Reply,
};

/// The key for an application error, beside the keys of the faults.
const ERROR: &str = "error";

/// The counters and durations of one method.
#[derive(Debug, Default)]
pub(super) struct Meter {
    started: AtomicU64,
    /// Requests that were given back before they had a reply.
    stopped: AtomicU64,
    errors: AtomicU64,
    faults: FaultCounters,
    latency: Histogram,
}

/// A request in progress. If it is dropped without a reply, it counts as given back.
#[derive(Debug)]
pub(super) struct Running<'a> {
    meter: &'a Meter,
    since: Instant,
    answered: bool,
}

/// The number of faults of each kind.
#[derive(Debug, Default)]
pub(super) struct FaultCounters([AtomicU64; FaultKind::COUNT]);

impl FaultCounters {
    pub(super) fn count(&self, kind: FaultKind) {
        if let Some(counter) = self.0.get(kind as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts by the fault's word, without zeros.
    pub(super) fn snapshot(&self) -> BTreeMap<String, u64> {
        let mut counted = BTreeMap::new();
        for kind in FaultKind::all() {
            let count = self.0.get(kind as usize).map_or(0, |count| count.load(Ordering::Relaxed));
            if count > 0 {
                counted.insert(kind.as_str().to_owned(), count);
            }
        }
        counted
    }
}

impl Meter {
    pub(super) fn start(&self, since: Instant) -> Running<'_> {
        self.started.fetch_add(1, Ordering::Relaxed);
        Running { meter: self, since, answered: false }
    }

    pub(super) fn snapshot(&self, method: &str) -> MethodStats {
        let latencies = self.latency.snapshot();
        let answered: u64 = latencies.iter().map(|(_, count)| count).sum();
        let ended = answered + self.stopped.load(Ordering::Relaxed);
        // Read last, so that a call that ends meanwhile is already counted as started.
        let calls = self.started.load(Ordering::Relaxed);
        let mut errors = self.faults.snapshot();
        let own = self.errors.load(Ordering::Relaxed);
        if own > 0 {
            errors.insert(ERROR.to_owned(), own);
        }
        MethodStats {
            name: method.to_owned(),
            calls,
            in_flight: calls.saturating_sub(ended),
            errors,
            latency_us: summary(&latencies, answered),
        }
    }
}

impl Running<'_> {
    pub(super) fn end(mut self, answer: &Reply, now: Instant) {
        self.answered = true;
        self.meter.latency.record(now.saturating_duration_since(self.since));
        match answer {
            Reply::Result { .. } => {}
            Reply::Error { .. } => {
                self.meter.errors.fetch_add(1, Ordering::Relaxed);
            }
            Reply::Fault(fault) => self.meter.faults.count(fault.kind()),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.meter.stopped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `None` if there is nothing to summarize.
fn summary(latencies: &[(u64, u64)], total: u64) -> Option<Latency> {
    let (max, _) = *latencies.last()?;
    let sum: u128 =
        latencies.iter().map(|(time, count)| u128::from(*time) * u128::from(*count)).sum();
    let within = |percent: u64| {
        let wanted = (u128::from(total) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        let reached = latencies.iter().find(|(_, count)| {
            seen += u128::from(*count);
            seen >= wanted
        });
        reached.map_or(max, |(time, _)| *time)
    };
    Some(Latency {
        mean: u64::try_from(sum / u128::from(total.max(1))).unwrap_or(max),
        p50: within(50),
        p90: within(90),
        p99: within(99),
        max,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::time::advance;

    use super::*;
    use crate::{codec::Encoding, fault::Fault};

    #[tokio::test(start_paused = true)]
    async fn calls_errors_and_latencies_are_told_apart() {
        let meter = Meter::default();
        let (body, encoding) = (Bytes::new(), Encoding::Json);
        for millisecond in 1..=100 {
            let running = meter.start(Instant::now());
            advance(Duration::from_millis(millisecond)).await;
            let answer = match millisecond {
                1..=97 => Reply::Result { body: body.clone(), encoding },
                98 => Reply::Error { body: body.clone(), encoding },
                _ => Reply::Fault(Fault::new(FaultKind::Panicked, "")),
            };
            running.end(&answer, Instant::now());
        }
        drop(meter.start(Instant::now()));
        let running = meter.start(Instant::now());
        let stats = meter.snapshot("m");
        drop(running);

        assert_eq!((stats.calls, stats.in_flight), (102, 1));
        let errors: Vec<(&str, u64)> =
            stats.errors.iter().map(|(word, count)| (word.as_str(), *count)).collect();
        assert_eq!(errors, [("error", 1), ("panicked", 2)]);
        let latency = stats.latency_us.unwrap();
        for (known, expected) in [
            (latency.p50, 50_000),
            (latency.p90, 90_000),
            (latency.p99, 99_000),
            (latency.max, 100_000),
            (latency.mean, 50_500),
        ] {
            assert!(known.abs_diff(expected) * 25 <= expected, "{known} is about {expected}");
        }
        assert_eq!(meter.snapshot("m").in_flight, 0);
    }

    #[test]
    fn before_the_first_answer_there_is_no_latency() {
        assert_eq!(Meter::default().snapshot("m").latency_us, None);
    }
}
