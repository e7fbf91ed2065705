//! Every path in ARCHITECTURE.md exists, and each module has its row in the code map.

use std::{fs, path::Path};

use crate::{
    crate_files::{ROOT, files_below, workspace},
    order::{LEAVES, ORDER},
};

/// Code spans that are paths of Rust files, or of folders if they end in `/`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    // Outside code blocks each second piece is a code span.
    let spans = text.split('`').skip(1).step_by(2);
    spans.filter(|span| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let source = Path::new(span).extension().is_some_and(|extension| extension == "rs");
        (source || span.ends_with('/')) && span.bytes().all(legal)
    })
}

/// The text without code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Whether a file has this path, or is below it. The path may begin at any folder.
fn is_there(path: &str, files: &[String]) -> bool {
    let within = format!("/{path}");
    files.iter().any(|file| {
        let file = format!("/{file}");
        if path.ends_with('/') { file.contains(&within) } else { file.ends_with(&within) }
    })
}

fn architecture() -> String {
    fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read")
}

#[test]
fn every_file_named_in_architecture_exists() {
    let text = prose(&architecture());
    let mut files = Vec::new();
    for folder in [
        "rpc-amqp",
        "rpc-runtime",
        "rpc-macros",
        "rpc-cli",
        "examples",
        "benchmarks",
        "fuzz",
        "docs",
        "tests",
        "scripts",
    ] {
        files.extend(
            files_below(&workspace().join(folder))
                .into_iter()
                .map(|file| format!("{folder}/{file}")),
        );
    }
    let missing: Vec<&str> = paths(&text).filter(|path| !is_there(path, &files)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
    assert!(paths(&text).count() > 50, "the reader finds the paths");
}

#[test]
fn every_module_is_in_the_code_map() {
    let text = architecture();
    let modules = LEAVES.iter().chain(ORDER).filter(|module| **module != ROOT);
    let missing: Vec<_> = modules
        .filter(|module| {
            let row = format!("`rpc-runtime/src/{module}");
            !text.contains(&format!("{row}/`")) && !text.contains(&format!("{row}.rs`"))
        })
        .collect();
    assert!(missing.is_empty(), "the code map of ARCHITECTURE.md has no row for {missing:?}");
}

#[test]
fn paths_are_found_only_in_prose() {
    let text = "a `b/c.rs` and `d/`, `E::f`, `g.rs h` and `i.md`\n```text\n`j.rs`\n```\n`k.rs`";
    assert_eq!(paths(&prose(text)).collect::<Vec<_>>(), ["b/c.rs", "d/", "k.rs"]);
}

#[test]
fn a_path_may_begin_anywhere() {
    let files = ["a/b/c.rs".to_owned()];
    assert!(["c.rs", "b/c.rs", "a/b/c.rs", "b/", "a/b/"].iter().all(|path| is_there(path, &files)));
    assert!(!["d.rs", "/c.rs", "bc.rs", "c/"].iter().any(|path| is_there(path, &files)));
}
