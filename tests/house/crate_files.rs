//! The files of the crate `rpc-runtime`, and the dependencies (arrows) between its modules.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::reader::{self, Source};

/// A place where one top-level module names another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The path below `rpc-runtime/src`.
    pub(crate) file: String,
    pub(crate) line: usize,
    /// The path as written.
    pub(crate) path: String,
}

/// The root of the crate, as a module.
pub(crate) const ROOT: &str = "lib";

/// The workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// All arrows between the modules of the crate, without those of its tests.
pub(crate) static ARROWS: LazyLock<Vec<Arrow>> = LazyLock::new(|| {
    let root = workspace().join("rpc-runtime/src");
    let sources: Vec<(String, String)> = files_below(&root)
        .into_iter()
        .filter(|file| Path::new(file).extension().is_some_and(|extension| extension == "rs"))
        .map(|file| {
            let text = fs::read_to_string(root.join(&file)).expect("a source can be read");
            (file, text)
        })
        .collect();
    between(&sources)
});

/// The files below a folder, by their paths from there.
pub(crate) fn files_below(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    gather(root, root, &mut files);
    files.sort();
    files
}

fn gather(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            // Skip the output of cargo.
            if !path.ends_with("target") {
                gather(root, &path, files);
            }
        } else {
            let path = path.strip_prefix(root).expect("it is below the root");
            files.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
}

/// The arrows between these files, given as paths and sources.
pub(crate) fn between(files: &[(String, String)]) -> Vec<Arrow> {
    let read: Vec<(&str, Vec<String>, Source)> = files
        .iter()
        .map(|(file, source)| {
            let module = module_of(file);
            let source = reader::read(source, &module);
            (file.as_str(), module, source)
        })
        .collect();
    let tops: BTreeSet<&str> = read.iter().map(|(_, module, _)| top(module)).collect();
    let tests: Vec<&Vec<String>> = read.iter().flat_map(|(_, _, source)| &source.tests).collect();
    let mut arrows = Vec::new();
    for (file, module, source) in &read {
        if tests.iter().any(|test| module.starts_with(test)) {
            continue;
        }
        for named in &source.paths {
            let Some(first) = named.path.first() else { continue };
            // Anything but a module is an item of the root.
            let to = if tops.contains(first.as_str()) { first.as_str() } else { ROOT };
            if to != top(module) {
                arrows.push(Arrow {
                    from: top(module).to_owned(),
                    to: to.to_owned(),
                    file: (*file).to_owned(),
                    line: named.line,
                    path: named.path.join("::"),
                });
            }
        }
    }
    arrows
}

/// The module of a file.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == ROOT { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn top(module: &[String]) -> &str {
    module.first().map_or(ROOT, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            files.iter().map(|(file, source)| ((*file).to_owned(), (*source).to_owned())).collect();
        between(&files)
            .into_iter()
            .map(|Arrow { from, to, file, line, .. }| format!("{file}:{line} {from}->{to}"))
            .collect()
    }

    #[test]
    fn arrows_lead_from_a_file_to_another_module() {
        assert_eq!(
            found(&[
                ("a.rs", "use crate::b::C;"),
                ("b/mod.rs", "mod c; use crate::b::c::D;"),
                ("b/c.rs", "use super::E;\nuse super::super::a::F;"),
                ("lib.rs", "mod a; mod b; pub use a::F;"),
            ]),
            ["a.rs:1 a->b", "b/c.rs:2 b->a"]
        );
    }

    #[test]
    fn exports_of_the_root_are_arrows_to_it() {
        assert_eq!(found(&[("a.rs", "use crate::B;"), ("lib.rs", "")]), ["a.rs:1 a->lib"]);
    }

    #[test]
    fn files_of_tests_are_left_out() {
        assert_eq!(
            found(&[
                ("a/mod.rs", "#[cfg(test)] mod tests;"),
                ("a/tests.rs", "use crate::b::C;"),
                ("a/tests/more.rs", "use crate::b::C;"),
                ("b.rs", ""),
            ]),
            Vec::<String>::new()
        );
    }
}
