//! What a client says of its calls.

use std::fmt;
use std::time::{Duration, Instant};

/// Tells whoever started this client that it is warm and begins now.
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
    /// Begins now, with room for so many calls.
    pub fn start(calls: usize) -> Self {
        Self { began: Instant::now(), took: Vec::with_capacity(calls) }
    }

    /// A call has ended.
    pub fn ended(&mut self, took: Duration) {
        self.took.push(took);
    }

    /// How many have ended.
    pub fn count(&self) -> usize {
        self.took.len()
    }

    /// All have ended.
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

/// What came of a run; displayed as the line that the driver reads.
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
