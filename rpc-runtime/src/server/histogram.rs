//! A histogram of durations: bounded memory, no lock, and one atomic addition for each value.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Number of buckets for each power of two. A value is exact to within half of a sixteenth.
const PARTS: usize = 16;
const PARTS_LOG2: usize = 4;
/// The highest power of two, in microseconds: 19 hours. Longer durations are counted there.
const HIGHEST: usize = 36;
const BUCKETS: usize = (HIGHEST - PARTS_LOG2 + 2) * PARTS;

#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Histogram {
    pub(super) fn record(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(microseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The recorded values: pairs of microseconds and count, shortest first.
    pub(super) fn snapshot(&self) -> Vec<(u64, u64)> {
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let recorded = counts.enumerate().filter(|(_, count)| *count > 0);
        recorded.map(|(index, count)| (middle_of(index), count)).collect()
    }
}

/// Below the first power of two that is divided, a bucket is one microsecond.
fn bucket_of(microseconds: u64) -> usize {
    let power = microseconds.max(1).ilog2() as usize;
    let Some(shift) = power.checked_sub(PARTS_LOG2) else {
        return usize::try_from(microseconds).unwrap_or(0);
    };
    let part = usize::try_from(microseconds >> shift).unwrap_or(0) - PARTS;
    ((shift + 1) * PARTS + part).min(BUCKETS - 1)
}

fn middle_of(bucket: usize) -> u64 {
    let Some(shift) = (bucket / PARTS).checked_sub(1) else {
        return bucket as u64;
    };
    let low = ((PARTS + bucket % PARTS) as u64) << shift;
    low + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_to_within_a_thirtieth() {
        for microseconds in (0..10_000).chain((1..60).map(|power| 3 << power)) {
            let known = middle_of(bucket_of(microseconds));
            let expected = microseconds.min((1 << (HIGHEST + 1)) - 1);
            assert!(known.abs_diff(expected) * 30 <= expected, "{microseconds}: {known}");
        }
    }

    #[test]
    fn snapshots_are_sorted_by_duration() {
        let histogram = Histogram::default();
        for time in [Duration::from_micros(3), Duration::from_millis(5), Duration::from_micros(3)] {
            histogram.record(time);
        }
        histogram.record(Duration::MAX);
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot[0], snapshot[1].1, snapshot[2].1), ((3, 2), 1, 1));
        assert!(snapshot[1].0.abs_diff(5_000) < 170);
    }
}
