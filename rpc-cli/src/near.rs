//! Names that are nearly the one that was written.

/// At most so many are suggested.
const MOST: usize = 3;

/// Those of the known names that a slip of the finger leads to, nearest first.
pub(crate) fn near<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = written.to_lowercase();
    let allowed = (written.chars().count() / 3).max(1);
    let mut names: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed || name.to_lowercase().contains(&wanted))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|(_, name)| name).take(MOST).collect()
}

/// How many letters have to be put in, taken out or exchanged.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (column, known) in other.iter().enumerate() {
            let Some(above) = row.get_mut(column + 1) else { break };
            let exchanged = diagonal + usize::from(letter != *known);
            diagonal = *above;
            let cost = exchanged.min(left + 1).min(*above + 1);
            if let Some(before) = row.get_mut(column) {
                *before = left;
            }
            left = cost;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_single_letters() {
        for (one, other, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("fib", "fob", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn slips_are_found_and_other_names_are_not() {
        let known = ["fib", "slow", "count", "reset"];
        assert_eq!(near("fibb", known), ["fib"]);
        assert_eq!(near("Count", known), ["count"]);
        assert_eq!(near("rest", known), ["reset"]);
        assert!(near("multiply", known).is_empty());
    }
}
