//! Suggests known names that are similar to a mistyped one.

use strsim::osa_distance;

/// Most names that are suggested.
const MOST: usize = 3;

/// The known names that may have been meant, most similar first.
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
    fn similar_names_are_suggested() {
        let known = ["fib", "slow", "count", "reset"];
        assert_eq!(near("fibb", known), ["fib"]);
        assert_eq!(near("Count", known), ["count"]);
        assert_eq!(near("rest", known), ["reset"]);
        assert!(near("multiply", known).is_empty());
    }
}
