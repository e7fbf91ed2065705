//! Durations as people write them: `200ms`, `5s`, `2m`, `1h`.

use std::time::Duration;

/// The units and their milliseconds. `ms` comes before `s`, because it ends with it.
const UNITS: [(&str, f64); 4] = [("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3600e3)];

/// Longest duration accepted. Any clock can add it to its time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a duration; a number without a unit means seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text:?} is not a duration: write 200ms, 5s, 2m or 1h");
    let unit = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let (number, size) = unit.unwrap_or((text, 1e3));
    let number: f64 = number.trim().parse().map_err(|_| refused())?;
    let duration = Duration::try_from_secs_f64(number * size / 1e3).map_err(|_| refused())?;
    if duration.is_zero() {
        return Err("the duration is zero".to_owned());
    }
    if duration > LONGEST {
        return Err("the duration is over a year".to_owned());
    }
    Ok(duration)
}

/// A short text of a duration: `850 µs`, `1.2 ms`, `5 s`, `3 h 12 min`.
pub(crate) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let with_tenths = |value: f64, unit: &str| {
        let text = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match seconds {
        0 if duration.as_micros() < 1_000 => format!("{} µs", duration.as_micros()),
        0 => with_tenths(duration.as_secs_f64() * 1e3, "ms"),
        1..60 => with_tenths(duration.as_secs_f64(), "s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("200ms", 200),
            ("5s", 5_000),
            ("1.5 s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("3", 3_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "5 parsecs", "1e300h", "NaN", "0s", "8761h", "1e15h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_short() {
        for (microseconds, shown) in [
            (850, "850 µs"),
            (1_234, "1.2 ms"),
            (45_678, "46 ms"),
            (5_000_000, "5 s"),
            (192_000_000, "3 min 12 s"),
            (11_520_000_000, "3 h 12 min"),
            (180_000_000_000, "2 d 2 h"),
        ] {
            assert_eq!(show(Duration::from_micros(microseconds)), shown);
        }
    }
}
