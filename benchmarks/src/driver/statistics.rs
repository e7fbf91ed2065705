//! The middle of several measurements, and how far apart they are.

use std::fmt;

/// The median and the quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let quantile = |quarter: usize| {
            let position = (values.len().checked_sub(1)?) * quarter;
            let (below, remainder) = (position / 4, position % 4);
            let (low, high) = (values[below], *values.get(below + 1).unwrap_or(&values[below]));
            let share = [0.0, 0.25, 0.5, 0.75][remainder];
            Some(low + (high - low) * share)
        };
        Some(Self { low: quantile(1)?, median: quantile(2)?, high: quantile(3)? })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = *self;
        write!(f, "{} ({}–{})", Figure(median), Figure(low), Figure(high))
    }
}

/// A number with the digits that mean something.
pub(crate) struct Figure(pub(crate) f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.0)
    }
}
