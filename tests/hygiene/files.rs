//! Reads the files of the project.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The folders of the workspace's packages.
pub(crate) fn packages() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ["));
    let members = members.expect("the manifest lists its members on one line");
    let names = members.trim_end_matches(']').split(", ");
    names.map(|name| name.trim_matches('"').to_owned()).collect()
}

pub(crate) fn text(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn numbered(file: &Path) -> Vec<(usize, String)> {
    text(file).lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
}

/// Whether the file is an input of the macro's tests, which may contain anything.
pub(crate) fn fixture(file: &Path) -> bool {
    file.starts_with(root().join("tests/ui"))
}

/// Whether the file is one of this test, which has the forbidden words as text.
pub(crate) fn is_this_test(file: &Path) -> bool {
    file.starts_with(root().join("tests/hygiene"))
}

/// Rust sources below these directories.
pub(crate) fn sources(directories: &[&str]) -> Vec<PathBuf> {
    let files = directories.iter().flat_map(|directory| walk(&root().join(directory)));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Every file of the project.
pub(crate) fn everything() -> Vec<PathBuf> {
    walk(root())
}

pub(crate) fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        // Cache directories have this file, such as cargo's target directory at any place.
        let generated = path.join("CACHEDIR.TAG").exists()
            || ["target", ".git", "Cargo.lock", "__pycache__", "fuzz"]
                .iter()
                .any(|other| name == *other);
        if generated {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}
