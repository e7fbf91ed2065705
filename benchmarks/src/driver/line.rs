//! Reads the output of programs: words of the form `name=number`, with or without a unit.

/// The number of this name, in microseconds if it is a time.
pub(crate) fn field(line: &str, name: &str) -> Option<f64> {
    let mut words = line.split_whitespace();
    let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    let of_a_number = |character: char| character.is_ascii_digit() || ".-".contains(character);
    let end = value.find(|character| !of_a_number(character)).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let scale = match unit {
        "ns" => 1e-3,
        "ms" => 1e3,
        "s" => 1e6,
        _ => 1.0,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn numbers_are_found_between_other_text() {
        let line = "limit window=16 direct=false rate=44400/s mean=360.5us p99=1.5ms left=-12";
        assert_eq!(field(line, "rate"), Some(44400.0));
        assert_eq!(field(line, "mean"), Some(360.5));
        assert_eq!(field(line, "p99"), Some(1500.0));
        assert_eq!(field(line, "left"), Some(-12.0));
        assert_eq!(field(line, "direct"), None);
        assert_eq!(field(line, "p50"), None);
    }
}
