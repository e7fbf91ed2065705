//! Names that are nearly the one that was written.

use strsim::osa_distance;

/// At most so many are suggested.
const MOST: usize = 3;

/// Those of the known names that a slip of the finger leads to, nearest first.
pub(crate) fn near<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = written.to_lowercase();
    let allowed = (written.chars().count() / 3).max(1);
    let mut names: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= allowed || name.to_lowercase().contains(&wanted))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|(_, name)| name).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_names_are_not() {
        let known = ["fib", "slow", "count", "reset"];
        assert_eq!(near("fibb", known), ["fib"]);
        assert_eq!(near("Count", known), ["count"]);
        assert_eq!(near("rest", known), ["reset"]);
        assert!(near("multiply", known).is_empty());
    }
}
