//! The report of a measurement.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;

use super::tally::{Tally, rate};
use crate::{
    duration,
    show::{BOLD, DIM, clean},
};

/// The width of the longest bar.
const WIDTH: u64 = 40;
/// The factor between steps of the histogram: two steps double the latency.
const FACTOR: f64 = std::f64::consts::SQRT_2;

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    method: String,
    concurrency: u16,
    took_ms: u64,
    succeeded: u64,
    calls_per_second: f64,
    failed: u64,
    errors: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
    latency_us: Latency,
}

#[derive(Debug, Serialize)]
struct Latency {
    mean: f64,
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

impl Report {
    pub(super) fn new(
        method: &str,
        concurrency: u16,
        took: Duration,
        tally: &Tally,
        first_error: Option<&str>,
    ) -> Self {
        Self {
            method: method.to_owned(),
            concurrency,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            succeeded: tally.succeeded(),
            calls_per_second: rate(tally.succeeded(), took),
            failed: tally.failed(),
            errors: tally.errors.clone(),
            first_error: first_error.map(str::to_owned),
            latency_us: Latency {
                mean: tally.mean(),
                p50: tally.percentile(50.0),
                p90: tally.percentile(90.0),
                p99: tally.percentile(99.0),
                p999: tally.percentile(99.9),
                max: tally.max(),
            },
        }
    }

    /// The report for a person: the figures and the histogram.
    pub(super) fn text(&self, tally: &Tally) -> String {
        let mut text = format!(
            "{BOLD}{}{BOLD:#}  {} at once, for {}\n",
            clean(&self.method),
            self.concurrency,
            duration::show(Duration::from_millis(self.took_ms))
        );
        let _ = writeln!(text, "  calls    {} ({:.0}/s)", self.succeeded, self.calls_per_second);
        let errors: Vec<String> =
            self.errors.iter().map(|(word, count)| format!("{word} {count}")).collect();
        if !errors.is_empty() {
            let _ = writeln!(text, "  errors   {} ({})", self.failed, clean(&errors.join(", ")));
        }
        if let Some(first) = &self.first_error {
            let _ = writeln!(text, "  first    {}", clean(first));
        }
        let latency = &self.latency_us;
        let shown = |microseconds| duration::show(Duration::from_micros(microseconds));
        let _ = writeln!(
            text,
            "  latency  p50 {}  p90 {}  p99 {}  p99.9 {}  max {}",
            shown(latency.p50),
            shown(latency.p90),
            shown(latency.p99),
            shown(latency.p999),
            shown(latency.max)
        );
        text.push_str(&histogram(&tally.steps(FACTOR)));
        text.trim_end().to_owned()
    }
}

/// A bar for each step. The longest is `WIDTH` wide.
fn histogram(steps: &[(u64, u64)]) -> String {
    let most = steps.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (end, count) in steps {
        let eighths = count.saturating_mul(WIDTH * 8) / most;
        let full = usize::try_from(eighths / 8).unwrap_or(0);
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let part = part.get(usize::try_from(eighths % 8).unwrap_or(0)).copied().unwrap_or("");
        let bar = format!("{}{part}", "█".repeat(full));
        let end = duration::show(Duration::from_micros(*end));
        let _ = writeln!(text, "  {DIM}up to {end:>9}{DIM:#} {bar} {count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use rpc_runtime::{CallError, Fault, FaultKind};

    use super::*;

    #[test]
    fn a_report_has_figures_and_bars() {
        let mut tally = Tally::new();
        for millisecond in [1, 1, 1, 1, 2] {
            tally.count(Duration::from_millis(millisecond), Ok(()));
        }
        let refused = CallError::Refused(Fault::new(FaultKind::Overloaded, ""));
        tally.count(Duration::ZERO, Err::<(), _>(refused));
        assert!(matches!(tally.take_first_error(), Some(CallError::Refused(_))));
        let first = Some("Fibonacci.fib was refused: overloaded\n");
        let report = Report::new("Fibonacci.fib", 4, Duration::from_secs(1), &tally, first);
        let text = anstream::adapter::strip_str(&report.text(&tally)).to_string();
        assert_eq!(
            text,
            "Fibonacci.fib  4 at once, for 1 s
  calls    5 (5/s)
  errors   1 (overloaded 1)
  first    Fibonacci.fib was refused: overloaded\\n
  latency  p50 1 ms  p90 2 ms  p99 2 ms  p99.9 2 ms  max 2 ms
  up to    1.4 ms ████████████████████████████████████████ 4
  up to      2 ms  0
  up to    2.8 ms ██████████ 1"
        );
    }
}
