//! Durations as people write them: `250ms`, `5s`, `1.5s`, `1m`, `1h30m`.

use std::time::Duration;

const NANOS_PER_MILLI: u128 = 1_000_000;

/// `RabbitMQ` stores a message's expiration in milliseconds, and refuses one over 32 bits.
pub(crate) const LONGEST: Duration = Duration::from_millis(u32::MAX as u64);

/// The units, with the number of milliseconds in each.
const UNITS: &[(&str, u128)] =
    &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration. The error is a clause such as "`5` has no unit".
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut nanos: u128 = 0;
    if rest.is_empty() {
        return Err("it is empty".into());
    }
    let mut smallest_so_far = u128::MAX;
    while !rest.is_empty() {
        let (number, after_number) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after_unit) = split_while(after_number, |c| !c.is_ascii_digit() && c != '.');
        rest = after_unit;
        if number.is_empty() {
            return Err(format!("`{unit}` has no number before it"));
        }
        if unit.is_empty() {
            return Err(format!("`{number}` has no unit"));
        }
        let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is not a unit"));
        };
        if *millis >= smallest_so_far {
            return Err("its units have to go from the largest to the smallest, each once".into());
        }
        smallest_so_far = *millis;
        let part = scaled(number, millis * NANOS_PER_MILLI)?;
        nanos = nanos.checked_add(part).ok_or_else(too_long)?;
    }
    if nanos == 0 {
        return Err("it is zero".into());
    }
    if nanos > LONGEST.as_nanos() {
        return Err(too_long());
    }
    let nanos = u64::try_from(nanos).map_err(|_| too_long())?;
    Ok(Duration::from_nanos(nanos))
}

fn split_while(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

/// `number` times `unit` nanoseconds. The number may have a decimal point.
fn scaled(number: &str, unit: u128) -> Result<u128, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| {
        if part.is_empty() || part.contains('.') {
            return Err(format!("`{number}` is not a number"));
        }
        part.parse::<u128>().map_err(|_| too_long())
    };
    let (whole, numerator) = (digits(whole)?, digits(fraction)?);
    let denominator = u32::try_from(fraction.len())
        .ok()
        .and_then(|places| 10_u128.checked_pow(places))
        .ok_or_else(|| format!("`{number}` has too many decimal places"))?;
    let product = numerator
        .checked_mul(unit)
        .ok_or_else(|| format!("`{number}` has too many decimal places"))?;
    if product % denominator != 0 {
        return Err(format!("`{number}` is finer than a nanosecond"));
    }
    let whole = whole.checked_mul(unit).ok_or_else(too_long)?;
    whole.checked_add(product / denominator).ok_or_else(too_long)
}

fn too_long() -> String {
    "it is longer than 49 days and 17 hours, the longest expiration that RabbitMQ accepts".into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, parse};

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("0.25s", 250),
            ("1m", 60_000),
            ("1h30m", 5_400_000),
            ("1h2m3s4ms", 3_723_004),
            ("1d", 86_400_000),
            ("4294967295ms", 4_294_967_295),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("0.5ms"), Ok(Duration::from_micros(500)));
        assert_eq!(parse("4294967295ms"), Ok(LONGEST));
    }

    #[test]
    fn errors_name_the_mistake() {
        for (text, reason) in [
            ("", "it is empty"),
            ("5", "`5` has no unit"),
            ("s", "`s` has no number before it"),
            ("-5s", "`-` has no number before it"),
            ("5 s", "` s` is not a unit"),
            ("5sec", "`sec` is not a unit"),
            ("5S", "`S` is not a unit"),
            ("1.2.3s", "`1.2.3` is not a number"),
            (".5s", "`.5` is not a number"),
            ("5.s", "`5.` is not a number"),
            ("30m1h", "its units have to go from the largest to the smallest, each once"),
            ("1s1s", "its units have to go from the largest to the smallest, each once"),
            ("0s", "it is zero"),
            ("0h0m", "it is zero"),
            ("0.0000000001s", "`0.0000000001` is finer than a nanosecond"),
        ] {
            assert_eq!(parse(text).as_ref().map_err(String::as_str), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn expirations_over_the_limit_are_refused() {
        for text in ["4294967296ms", "50d", "1200h", "99999999999999999999999999999999999999999s"] {
            assert!(parse(text).is_err_and(|reason| reason.contains("49 days")), "{text}");
        }
        let many_places = format!("0.{}1s", "0".repeat(60));
        assert!(parse(&many_places).is_err());
    }
}
