//! The output of a client.

use std::fmt;
use std::time::{Duration, Instant};

/// Prints that the client has warmed up and begins, for the driver.
pub fn begin() {
    println!("begin");
}

/// Times the calls of a run.
#[derive(Debug)]
pub struct Meter {
    began: Instant,
    took: Vec<Duration>,
}

impl Meter {
    /// Starts the time, with room for so many calls.
    pub fn start(calls: usize) -> Self {
        Self { began: Instant::now(), took: Vec::with_capacity(calls) }
    }

    /// Records a call that has ended.
    pub fn ended(&mut self, took: Duration) {
        self.took.push(took);
    }

    /// The number of calls that have ended.
    pub fn count(&self) -> usize {
        self.took.len()
    }

    /// Makes the report, after all calls have ended.
    pub fn report(mut self) -> Report {
        let elapsed = self.began.elapsed();
        self.took.sort_unstable();
        let quantile = |percent: usize| {
            let index = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
            self.took.get(index).copied().unwrap_or_default()
        };
        Report { calls: self.took.len(), elapsed, p50: quantile(50), p99: quantile(99) }
    }
}

/// The figures of a run. Its `Display` is the line that the driver reads.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    calls: usize,
    elapsed: Duration,
    p50: Duration,
    p99: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = rate(self.calls, self.elapsed);
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        write!(f, "rate={rate:.1}/s p50={:.1}us p99={:.1}us", micros(self.p50), micros(self.p99))
    }
}

#[allow(clippy::cast_precision_loss, reason = "no run has so many calls that it would matter")]
fn rate(calls: usize, elapsed: Duration) -> f64 {
    calls as f64 / elapsed.as_secs_f64()
}
