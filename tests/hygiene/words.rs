//! Plain words: the names of tests are short, and hard words are not used.

use std::path::Path;

use crate::files::{everything, fixture, is_this_test, numbered, root};

/// Most words in the name of a test.
const MOST_WORDS: usize = 8;

/// It has earlier versions.
const WORDS_NOT_CHECKED: &[&str] = &["CHANGELOG.md"];

/// Phrases that make a sentence hard to read. The subject and its action are better named directly.
const HARD_WORDS: &[&str] =
    &["whoever", "is told", "hears of", "says nothing", "what becomes of", "is said to be"];

/// All functions are checked, because a macro can declare a test without an attribute.
#[test]
fn names_of_tests_have_at_most_eight_words() {
    let mut names = 0;
    for file in everything() {
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || fixture(&file) {
            continue;
        }
        for (number, line) in numbered(&file) {
            let code = line.split("//").next().unwrap_or_default();
            let Some((_, rest)) = code.split_once("fn ") else { continue };
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let words = name.split('_').filter(|word| !word.is_empty()).count();
            assert!(
                words <= MOST_WORDS,
                "{}:{number}: {name} has {words} words, and at most {MOST_WORDS} are allowed",
                file.display()
            );
            names += 1;
        }
    }
    assert!(names > 1000, "{names} names were found");
}

#[test]
fn hard_words_are_not_used() {
    let kinds = ["java", "js", "md", "py", "rb", "rs", "sh", "stderr", "toml", "yml"];
    for file in everything() {
        // Scripts have no extension.
        let checked =
            file.extension().is_none_or(|extension| kinds.iter().any(|kind| extension == *kind));
        if !checked || is_this_test(&file) || is_in(&file, WORDS_NOT_CHECKED) {
            continue;
        }
        for (number, line) in numbered(&file) {
            let line = line.to_lowercase();
            let hard = HARD_WORDS.iter().find(|words| line.contains(**words));
            assert!(
                hard.is_none(),
                "{}:{number} has {:?}: name the subject and its action directly",
                file.display(),
                hard.copied().unwrap_or_default()
            );
        }
    }
}

fn is_in(file: &Path, places: &[&str]) -> bool {
    places.iter().any(|place| file.starts_with(root().join(place)))
}
