//! The other crates whose types and traits a user of `rpc-runtime` or `rpc-amqp` meets in a signature.
//!
//! Each is a promise: a new major version of that crate is one of ours. So there are few, and each has its reason. The scanner
//! reads what is exported for users, and leaves out what only generated code may name.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    crate_files::{files_below, module_of, workspace},
    names::{File, all_uses, met_in, names},
    reader::without_tests,
    signatures::{exported, is_public, signatures},
};

/// The crates that public signatures may name, by package; ARCHITECTURE.md has the reasons.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "rpc-runtime",
        &[
            "bytes",
            "futures_core",
            "lapin",
            "rpc_amqp",
            "rpc_macros",
            "serde",
            "serde_json",
            "tokio",
            "tower",
        ],
    ),
    ("rpc-amqp", &["bytes", "smallvec", "smol_str", "tokio", "uuid"]),
];

/// Crates whose derives write code that names std alone.
const DERIVES: &[&str] = &["thiserror"];

const RULE: &str = "A public signature names another crate. Take a type of our own or of std, or, if users gain from it, add the \
     crate to `ALLOWED` in tests/house/public_types.rs and to *Other crates in signatures* in ARCHITECTURE.md, with a reason.";

/// A name of another crate in a public signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    package: String,
    file: String,
    line: usize,
    word: String,
}

/// What public signatures of a crate name of others.
fn met(files: &[(String, String)], own: &str, others: &BTreeSet<String>) -> BTreeSet<Met> {
    let files: Vec<File> = files
        .iter()
        .map(|(path, source)| File {
            path: path.clone(),
            module: module_of(path),
            tokens: without_tests(source),
        })
        .collect();
    let (names, exported) = (names(&files, own, others), exported(&files));
    let mut all = BTreeSet::new();
    for file in &files {
        let public = is_public(&file.module);
        let mut found = Vec::new();
        for part in signatures(&file.tokens, &exported) {
            found.extend(met_in(part, &file.module, &names, others));
        }
        // What is exported as it is.
        for (for_all, one) in all_uses(&file.tokens) {
            let first = one.path.first().cloned().unwrap_or_default();
            if public && for_all && others.contains(&first) {
                found.push((first, 0, one.name));
            }
        }
        found.retain(|(package, ..)| !DERIVES.contains(&package.as_str()));
        all.extend(found.into_iter().map(|(package, line, word)| Met {
            package,
            file: file.path.clone(),
            line,
            word,
        }));
    }
    all
}

/// The packages under `[dependencies]`, as crates.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let lines = section.lines().filter(|line| !line.starts_with('#') && line.contains('='));
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .map(|name| name.replace('-', "_"))
        .collect()
}

/// What the public signatures of a package name.
fn met_by(package: &str) -> BTreeSet<Met> {
    let root = workspace().join(package);
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest can be read");
    let source = root.join("src");
    let own = package.replace('-', "_");
    let files: Vec<(String, String)> = files_below(&source)
        .into_iter()
        .filter(|file| Path::new(file).extension().is_some_and(|extension| extension == "rs"))
        .filter(|file| !["private.rs", "fuzz.rs", "bench.rs"].contains(&file.as_str()))
        .filter(|file| !file.ends_with("tests.rs") && !file.contains("conformance/"))
        .map(|file| {
            let text = fs::read_to_string(source.join(&file)).expect("a source can be read");
            (file, text)
        })
        .collect();
    met(&files, &own, &dependencies(&manifest))
}

#[test]
fn public_signatures_name_few_other_crates() {
    for (package, allowed) in ALLOWED {
        let all = met_by(package);
        let others: Vec<String> = all
            .iter()
            .filter(|met| !allowed.contains(&met.package.as_str()))
            .map(|met| {
                format!(
                    "{package}/src/{}:{}: `{}` is of {}",
                    met.file, met.line, met.word, met.package
                )
            })
            .collect();
        assert!(others.is_empty(), "\n{}\n\n{RULE}", others.join("\n"));
        let needed: BTreeSet<&str> = all.iter().map(|met| met.package.as_str()).collect();
        let needless: Vec<_> = allowed.iter().filter(|name| !needed.contains(**name)).collect();
        assert!(needless.is_empty(), "no public signature of {package} names {needless:?}");
    }
}

#[test]
fn other_crates_in_signatures_have_their_reasons() {
    let text =
        fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let section = text.split("## Other crates in signatures").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let documented: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split('`').next())
        .map(|name| name.replace('-', "_"))
        .collect();
    let allowed: BTreeSet<String> =
        ALLOWED.iter().flat_map(|(_, crates)| *crates).map(|name| (*name).to_owned()).collect();
    assert_eq!(documented, allowed, "the table of ARCHITECTURE.md has one row for each");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that are found, with the crates that they are of.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            files.iter().map(|(file, source)| ((*file).to_owned(), (*source).to_owned())).collect();
        let others = BTreeSet::from(["bytes".to_owned(), "tokio".to_owned(), "serde".to_owned()]);
        let met = met(&files, "ours", &others);
        met.into_iter()
            .map(|met| format!("{}:{} {}::{}", met.file, met.line, met.package, met.word))
            .collect()
    }

    #[test]
    fn public_functions_fields_and_implementations_count() {
        let root = ("lib.rs", "mod a; pub use a::{A, B, C, f};");
        for (source, expected) in [
            ("use bytes::Bytes; pub fn f(b: Bytes) {}", "a.rs:1 bytes::Bytes"),
            ("pub fn f() -> Vec<tokio::time::Instant> { todo() }", "a.rs:1 tokio::tokio"),
            ("use bytes::Bytes;\npub struct A { pub b: Bytes }", "a.rs:2 bytes::Bytes"),
            ("use bytes::Bytes as B2; impl A { pub fn g(&self) -> B2 {} }", "a.rs:1 bytes::B2"),
            (
                "use serde::Serialize; #[derive(Serialize)] pub enum B { D }",
                "a.rs:1 serde::Serialize",
            ),
            ("use serde::Serialize; pub trait C: Serialize {}", "a.rs:1 serde::Serialize"),
            ("use bytes::Bytes; pub trait C { fn g(b: Bytes) { } }", "a.rs:1 bytes::Bytes"),
            ("impl<T> From<bytes::Bytes> for A<T> { fn from() {} }", "a.rs:1 bytes::bytes"),
            ("impl Iterator for A { type Item = bytes::Bytes; }", "a.rs:1 bytes::bytes"),
        ] {
            assert_eq!(found(&[root, ("a.rs", source)]), [expected], "{source}");
        }
    }

    #[test]
    fn what_users_do_not_see_does_not_count() {
        let root = ("lib.rs", "mod a; pub use a::{A, f};");
        for source in [
            "use bytes::Bytes; pub(crate) fn f(b: Bytes) {}",
            "use bytes::Bytes; pub struct A { b: Bytes, pub(crate) c: Bytes }",
            "use bytes::Bytes; impl A { fn g(b: Bytes) {} pub fn h() { Bytes::new() } }",
            "use bytes::Bytes; pub struct Hidden { pub b: Bytes }",
            "use bytes::Bytes; #[cfg(test)] impl A { pub fn g(b: Bytes) {} }",
            "use std::time::Instant; pub fn f(at: Instant) {}",
            "use bytes::Bytes; pub fn f() -> u8 { Bytes::new() }",
            "use bytes::Bytes; impl Iterator for A { type Item = u8; fn next(b: Bytes) {} }",
        ] {
            assert_eq!(found(&[root, ("a.rs", source)]), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn a_name_is_followed_through_the_crate() {
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod b; pub use a::f;"),
                ("a.rs", "use crate::b::{Body, Later}; pub fn f(b: Body, l: Later) {}"),
                ("b/mod.rs", "mod c; pub(crate) use c::Body; pub(crate) type Later = tokio::T;"),
                ("b/c.rs", "pub(crate) use bytes::Bytes as Body;"),
            ]),
            ["a.rs:1 bytes::Body", "a.rs:1 tokio::Later"]
        );
    }

    #[test]
    fn an_export_of_another_crate_counts() {
        assert_eq!(found(&[("lib.rs", "pub use bytes::Bytes;")]), ["lib.rs:0 bytes::Bytes"]);
    }
}
