//! The option that a misspelled one was probably meant to be.

use strsim::osa_distance;

/// The nearest of `known`, if it is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let written = letters(written);
    known
        .iter()
        // Two letters in the wrong order are one slip.
        .map(|candidate| (osa_distance(&written, &letters(candidate)), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Upper and lower case are the same, and so are `_` and `-`.
fn letters(word: &str) -> String {
    word.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KNOWN: &[&str] =
        &["name", "timeout", "oneway", "blocking", "idempotent", "at_most_once", "default"];

    #[test]
    fn a_slip_finds_its_option() {
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
