//! Counts the calls of a measurement.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rpc_runtime::{CallError, UntypedReply};

/// Latencies are recorded to three digits.
const DIGITS: u8 = 3;

/// How long calls took, in microseconds, and how many ended without a result.
#[derive(Debug)]
pub(super) struct Tally {
    /// `None` if `DIGITS` is out of range, which it is not.
    latencies: Option<Histogram<u64>>,
    pub(super) errors: BTreeMap<String, u64>,
    /// The first error and its time.
    first: Option<(Instant, CallError<UntypedReply>)>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { latencies: Histogram::new(DIGITS).ok(), errors: BTreeMap::new(), first: None }
    }

    pub(super) fn count<T>(&mut self, took: Duration, ended: Result<T, CallError<UntypedReply>>) {
        match ended {
            Ok(_) => {
                if let Some(latencies) = &mut self.latencies {
                    // A histogram that resizes itself accepts any latency that can occur.
                    let _ = latencies.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                }
            }
            Err(error) => {
                *self.errors.entry(word(&error)).or_default() += 1;
                self.first.get_or_insert_with(|| (Instant::now(), error));
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        if let (Some(all), Some(part)) = (&mut self.latencies, other.latencies) {
            let _ = all.add(part);
        }
        for (word, count) in other.errors {
            *self.errors.entry(word).or_default() += count;
        }
        let both = self.first.take().into_iter().chain(other.first);
        self.first = both.min_by_key(|(when, _)| *when);
    }

    /// The first error.
    pub(super) fn take_first_error(&mut self) -> Option<CallError<UntypedReply>> {
        self.first.take().map(|(_, error)| error)
    }

    pub(super) fn succeeded(&self) -> u64 {
        self.latencies.as_ref().map_or(0, Histogram::len)
    }

    pub(super) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The latency that this percentage of calls does not exceed.
    pub(super) fn percentile(&self, percent: f64) -> u64 {
        self.latencies.as_ref().map_or(0, |latencies| latencies.value_at_percentile(percent))
    }

    pub(super) fn mean(&self) -> f64 {
        self.latencies.as_ref().map_or(0.0, Histogram::mean)
    }

    pub(super) fn max(&self) -> u64 {
        self.latencies.as_ref().map_or(0, Histogram::max)
    }

    /// The histogram, in steps that grow by the factor: the upper end and the count of each.
    pub(super) fn steps(&self, factor: f64) -> Vec<(u64, u64)> {
        let Some(latencies) = self.latencies.as_ref().filter(|latencies| !latencies.is_empty())
        else {
            return Vec::new();
        };
        let first = latencies.min().max(1);
        let steps = latencies.iter_log(first, factor);
        // The first step ends below the shortest latency.
        steps
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .skip_while(|(_, count)| *count == 0)
            .collect()
    }
}

/// Calls per second.
#[allow(clippy::cast_precision_loss, reason = "it is shown with few digits")]
pub(super) fn rate(calls: u64, took: Duration) -> f64 {
    calls as f64 / took.as_secs_f64().max(1e-9)
}

fn word(error: &CallError<UntypedReply>) -> String {
    match error {
        CallError::Application(_) => "error",
        CallError::NoServer => "no-server",
        CallError::DeadlineExceeded { .. } => "timeout",
        CallError::ConnectionLost { .. } => "connection-lost",
        // A known word, or one fixed word for all others: a peer may send any text.
        CallError::Refused(fault) => fault.kind().as_str(),
        CallError::Panicked => "panicked",
        CallError::Broker(_) => "broker",
        _ => "other",
    }
    .to_owned()
}
