//! Suggests an option for a misspelled one.

use strsim::osa_distance;

/// The most similar of `known`, if it is similar enough for a typing mistake.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let written = letters(written);
    known
        .iter()
        // Two swapped letters are one mistake.
        .map(|candidate| (osa_distance(&written, &letters(candidate)), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Normalizes case and removes the difference between `_` and `-`.
fn letters(word: &str) -> String {
    word.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KNOWN: &[&str] =
        &["name", "timeout", "oneway", "blocking", "idempotent", "at_most_once", "default"];

    #[test]
    fn a_typing_mistake_finds_its_option() {
        for (written, meant) in [
            ("time_out", "timeout"),
            ("tiemout", "timeout"),
            ("one_way", "oneway"),
            ("OneWay", "oneway"),
            ("at-most-once", "at_most_once"),
            ("idempotant", "idempotent"),
            ("nam", "name"),
            ("blokcing", "blocking"),
        ] {
            assert_eq!(nearest(written, KNOWN), Some(meant), "{written}");
        }
    }

    #[test]
    fn another_word_finds_nothing() {
        for written in ["", "x", "retries", "priority", "größe", "日本"] {
            assert_eq!(nearest(written, KNOWN), None, "{written}");
        }
    }
}
