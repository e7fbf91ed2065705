//! The median and spread of several measurements.

use std::fmt;

/// The median and the quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    low: f64,
    pub(crate) median: f64,
    high: f64,
}

impl Spread {
    /// `None` without values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let quartile = |quarter: usize| {
            let (below, rest) = (last * quarter / 4, last * quarter % 4);
            let (low, high) = (values[below], values[(below + 1).min(last)]);
            low + (high - low) * [0.0, 0.25, 0.5, 0.75][rest]
        };
        Some(Self { low: quartile(1), median: quartile(2), high: quartile(3) })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = *self;
        write!(f, "{}", Number(median))?;
        // A single measurement has no spread.
        if low < high { write!(f, " ({}–{})", Number(low), Number(high)) } else { Ok(()) }
    }
}

/// Shows a number with its significant digits.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            size if size >= 99.95 => 0,
            size if size >= 9.995 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn quartiles_are_interpolated() {
        let shown =
            |values: &[f64]| Spread::of(values.iter().copied()).map(|spread| spread.to_string());
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[1234.5]).as_deref(), Some("1234"));
        assert_eq!(shown(&[4.0, 1.0, 3.0, 2.0]).as_deref(), Some("2.50 (1.75–3.25)"));
        assert_eq!(shown(&[30.0, 10.0, 20.0]).as_deref(), Some("20.0 (15.0–25.0)"));
    }
}
