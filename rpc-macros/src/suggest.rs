//! The option that a misspelled one was probably meant to be.

/// The nearest of `known`, if it is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|candidate| (distance(written, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other, ignoring case and
/// the difference between `_` and `-`.
fn distance(from: &str, to: &str) -> usize {
    let (from, to) = (letters(from), letters(to));
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(left != right);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && from[row - 1] == *right && *left == to[column - 1];
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

fn letters(word: &str) -> Vec<char> {
    word.chars()
        .map(|letter| if letter == '-' { '_' } else { letter.to_ascii_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

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

    #[test]
    fn distances_are_symmetric() {
        for (left, right, expected) in
            [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "abd", 1)]
        {
            assert_eq!(distance(left, right), expected);
            assert_eq!(distance(right, left), expected);
        }
    }
}
