//! The project's rules, as far as a test can see them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn versions_agree() {
    let manifest = read("Cargo.toml");
    let version = version();
    for member in ["rpc-amqp", "rpc-macros", "rpc-runtime", "rpc-cli"] {
        assert!(
            read(&format!("{member}/Cargo.toml")).contains("version.workspace = true"),
            "{member} has the workspace's version"
        );
    }
    let pin = format!(r#"rpc-macros = {{ version = "={version}""#);
    assert!(manifest.contains(&pin), "Cargo.toml pins the macro to this very version: {pin}");
    for member in ["rpc-amqp", "rpc-runtime"] {
        let named = format!(r#"{member} = {{ version = "{version}""#);
        assert!(manifest.contains(&named), "Cargo.toml names the version of {member}: {named}");
    }
}

#[test]
fn the_changelog_has_the_current_version() {
    let (changelog, version) = (read("CHANGELOG.md"), version());
    let named = changelog.lines().any(|line| line.starts_with("## ") && line.contains(&version));
    assert!(named, "CHANGELOG.md has a heading for {version}");
}

/// It says what AMQP is, in tests of the wire, and what calls are compared with. Users neither build nor run it.
#[test]
fn lapin_is_named_by_tests_of_the_wire_and_benchmarks_alone() {
    let wire = root().join("rpc-amqp/src");
    for file in
        sources(&["rpc-amqp", "rpc-runtime/src", "rpc-macros/src", "rpc-cli", "examples", "tests"])
    {
        let tests_the_wire = file.starts_with(&wire) && file.ends_with("tests.rs");
        if tests_the_wire || file.ends_with("tests/hygiene.rs") || fixture(&file) {
            continue;
        }
        for (number, line) in numbered(&file) {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!code.contains("lapin"), "{}:{number} names lapin", file.display());
        }
    }
    for package in ["rpc-amqp", "rpc-runtime"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        let users = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        assert!(!users.contains("lapin"), "a user of {package} builds lapin");
    }
}

/// A feature of a dependency is on for the whole program of a user.
#[test]
fn features_of_serde_json_are_documented() {
    let (manifest, page) = (read("Cargo.toml"), read("rpc-runtime/src/lib.rs"));
    let line = manifest.lines().find(|line| line.starts_with("serde_json = ")).unwrap();
    let (_, features) = line.split_once("features = [").unwrap();
    for feature in features.trim_end_matches(" }").trim_end_matches(']').split(", ") {
        let feature = feature.trim_matches('"');
        assert!(page.contains(&format!("`{feature}`")), "{feature} is not in lib.rs");
    }
}

/// The protocol is a crate of its own, and one folder of the framework speaks it.
#[test]
fn amqp_is_named_by_its_transport_and_messages_alone() {
    let runtime = root().join("rpc-runtime/src");
    let allowed =
        ["transport/amqp", "transport/lapin", "transport/mod.rs", "message", "lib.rs", "fuzz.rs"];
    for file in sources(&["rpc-runtime/src", "rpc-cli", "examples", "benchmarks"]) {
        if allowed.iter().any(|place| file.starts_with(runtime.join(place))) {
            continue;
        }
        for (number, line) in numbered(&file) {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!code.contains("rpc_amqp"), "{}:{number} names rpc_amqp", file.display());
        }
    }
    for file in sources(&["rpc-amqp"]) {
        for (number, line) in numbered(&file) {
            assert!(!line.contains("rpc_runtime"), "{}:{number}: rpc_runtime", file.display());
        }
    }
}

#[test]
fn tests_see_the_framework_as_users_do() {
    for package in ["tests", "examples", "rpc-cli"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        for crate_name in ["lapin", "syn", "rpc-macros"] {
            // The features are those of the framework.
            let mut dependencies = manifest.lines().filter(|line| !line.contains("\"rpc-runtime/"));
            let depends =
                dependencies.any(|line| line.split(['.', ' ', '=']).next() == Some(crate_name));
            assert!(!depends, "{package} depends on {crate_name}");
        }
    }
}

#[test]
fn every_example_is_declared_and_in_the_readme() {
    let readme = read("README.md");
    let mut declared = Vec::new();
    let packages = ["examples", "examples/features", "examples/testing"];
    let manifests = packages.map(|package| (package, read(&format!("{package}/Cargo.toml"))));
    let sections = manifests.iter().flat_map(|(package, manifest)| {
        manifest.split("[[example]]").skip(1).map(move |section| (package, section))
    });
    for (package, section) in sections {
        let name = section
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .expect("an example has a name");
        let name = name.trim_matches('"');
        assert!(readme.contains(name), "README.md mentions the example {name}");
        let path = section.lines().find_map(|line| line.strip_prefix("path = "));
        let path = path.expect("an example has a path").trim_matches('"');
        declared.push(format!("{package}/{path}"));
    }
    for path in &declared {
        assert!(root().join(path).is_file(), "{path} is declared, and is not there");
    }
    // A file that starts with `fn main` and is no example is never compiled.
    for file in sources(&["examples"]) {
        let main = numbered(&file).iter().any(|(_, line)| line.contains("fn main("));
        let known = declared.iter().any(|path| file.ends_with(path));
        assert!(!main || known, "{} is no declared example", file.display());
    }
}

/// Without it cargo builds what all packages of the workspace need together, for the smallest example too.
#[test]
fn commands_that_run_an_example_name_its_package() {
    let packages = ["examples", "examples/features", "examples/testing", "rpc-amqp"];
    let mut named = 0;
    for file in everything().into_iter().chain([root().join(".ci/run")]) {
        let extension = file.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("rs" | "md") | None) || file.ends_with("tests/hygiene.rs") {
            continue;
        }
        // A command may go on in the next line.
        let text = text(&file).split_whitespace().collect::<Vec<_>>().join(" ");
        for command in text.split("cargo run ").skip(1) {
            let Some((options, rest)) = command.split_once("--example ") else { continue };
            if options.contains('`') || options.contains('$') {
                continue;
            }
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let manifest = packages
                .map(|package| read(&format!("{package}/Cargo.toml")))
                .into_iter()
                .find(|manifest| manifest.contains(&format!("[[example]]\nname = \"{name}\"")));
            let manifest =
                manifest.unwrap_or_else(|| panic!("no example {name}: {}", file.display()));
            let package = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
            let wanted = format!("-p {}", package.trim_matches('"'));
            assert!(options.contains(&wanted), "{}: {options}--example {name}", file.display());
            named += 1;
        }
    }
    assert!(named > 10, "{named} commands were found");
}

#[test]
fn every_page_of_the_guide_is_in_its_contents() {
    let contents = read("docs/README.md");
    for page in walk(&root().join("docs")) {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(
            name == "README.md" || contents.contains(&format!("({name})")),
            "docs/README.md does not lead to {name}"
        );
    }
}

/// A row of the failure modes is only as true as the tests that it names.
#[test]
fn every_test_that_the_failure_modes_name_is_there() {
    let code: String = sources(&["tests", "rpc-runtime/src", "rpc-amqp/src"])
        .iter()
        .map(|file| text(file))
        .collect();
    let page = read("docs/reliability.md");
    let rows =
        page.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.rsplit('|').nth(1));
    let mut named = 0;
    for name in rows.flat_map(|tests| tests.split('`').skip(1).step_by(2)) {
        let test = name.rsplit("::").next().unwrap_or_default();
        if Path::new(name).extension().is_some_and(|extension| extension == "rs") {
            let places = ["rpc-runtime/src", ""].map(|place| root().join(place).join(name));
            assert!(places.iter().any(|file| file.is_file()), "{name} is no file");
            continue;
        }
        if name.contains('/') || !test.contains('_') {
            continue;
        }
        assert!(
            code.contains(&format!("{test}(")) || code.contains(&format!("{test};")),
            "{name} is no test"
        );
        named += 1;
    }
    assert!(named > 30, "{named} tests were found");
}

/// Those in Python are run as they stand, by the integration tests.
#[test]
fn recipes_for_other_languages_stand_in_programs_that_run() {
    let programs: String =
        walk(&root().join("tests/peers")).iter().map(|file| text(file)).collect();
    let programs: HashSet<&str> = programs.lines().map(str::trim).collect();
    let page = read("docs/other-languages.md");
    let mut language = None;
    let mut compared = 0;
    for (number, line) in page.lines().enumerate() {
        if let Some(fence) = line.trim().strip_prefix("```") {
            language = Some(fence).filter(|fence| ["javascript", "ruby", "java"].contains(fence));
        } else if let Some(language) = language {
            let line = line.trim();
            let known = programs.contains(line);
            assert!(known, "line {}: no {language} program in tests/peers has {line}", number + 1);
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} lines were compared");
}

#[test]
fn rust_code_in_the_documentation_is_compiled() {
    let including: String =
        sources(&["tests/src", "examples"]).iter().map(|file| text(file)).collect();
    for page in walk(&root().join("docs")) {
        let name = page.file_name().and_then(|name| name.to_str()).expect("pages have plain names");
        assert!(
            !text(&page).contains("```rust") || including.contains(&format!("{name}\"")),
            "nothing includes the Rust code of docs/{name}, as `pages` in tests/src/lib.rs does"
        );
    }
}

#[test]
fn nothing_is_disabled_or_left_for_later() {
    // Put together here, so that this file does not find itself.
    let signs = [
        ["#[ig", "nore"].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
    ];
    for file in everything() {
        for (number, line) in numbered(&file) {
            let sign = signs.iter().find(|sign| line.contains(sign.as_str()));
            assert!(
                sign.is_none(),
                "{}:{number} has {}",
                file.display(),
                sign.map_or("", String::as_str)
            );
        }
    }
}

#[test]
fn no_path_of_one_machine() {
    // Put together here, so that this file does not find itself.
    let paths =
        ["/wo?rk/", "/ho?me/", "/ro?ot/", "/Us?ers/", "/t?mp/"].map(|path| path.replace('?', ""));
    for file in everything() {
        for (number, line) in numbered(&file) {
            let path = paths.iter().find(|path| absolute(&line, path));
            assert!(
                path.is_none(),
                "{}:{number} names {}",
                file.display(),
                path.map_or("", String::as_str)
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    assert!(
        read("Cargo.toml").contains(r#"unsafe_code = "forbid""#),
        "the workspace forbids unsafe code"
    );
    let packages = [
        "rpc-amqp",
        "rpc-macros",
        "rpc-runtime",
        "rpc-cli",
        "examples",
        "examples/numbers",
        "tests",
        "benchmarks",
    ];
    for package in packages {
        let manifest = read(&format!("{package}/Cargo.toml"));
        let lints = manifest.split("[lints]").nth(1).unwrap_or_default();
        assert!(
            lints.trim_start().starts_with("workspace = true"),
            "{package} takes the workspace's lints"
        );
    }
}

#[test]
fn every_lint_and_exemption_has_a_reason() {
    for file in sources(&[
        "rpc-amqp",
        "rpc-runtime/src",
        "rpc-macros/src",
        "rpc-cli",
        "examples",
        "tests",
        "benchmarks",
    ]) {
        if fixture(&file) || file.ends_with("tests/hygiene.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source is text");
        for attribute in text.split("[allow(").skip(1).chain(text.split("[expect(").skip(1)) {
            let attribute = attribute.split(")]").next().unwrap_or_default();
            // Quoted code of the macro carries attributes for other people's sources.
            let quoted = file.starts_with(root().join("rpc-macros"));
            assert!(
                quoted || attribute.contains("reason ="),
                "{}: allow({attribute}) has no reason",
                file.display()
            );
        }
    }
}

#[test]
fn what_is_published_is_fit_for_it() {
    let workspace = read("Cargo.toml");
    for key in ["license", "repository", "keywords", "categories", "rust-version"] {
        assert!(
            workspace.lines().any(|line| line.starts_with(&format!("{key} = "))),
            "the workspace sets {key}"
        );
    }
    for package in ["rpc-amqp", "rpc-macros", "rpc-runtime", "rpc-cli"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        for key in [
            "description",
            "readme",
            "license",
            "repository",
            "keywords",
            "categories",
            "rust-version",
        ] {
            assert!(manifest.lines().any(|line| line.starts_with(key)), "{package} has no {key}");
        }
        assert!(root().join(package).join("README.md").is_file(), "{package} has a README.md");
    }
    for package in ["examples", "examples/numbers", "tests", "benchmarks"] {
        assert!(
            read(&format!("{package}/Cargo.toml")).contains("publish = false"),
            "{package} is not published"
        );
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(root().join(licence).is_file(), "{licence} is there");
    }
}

#[test]
fn scripts_can_be_run_and_are_documented() {
    use std::os::unix::fs::PermissionsExt as _;

    let contributing = read("CONTRIBUTING.md");
    for script in walk(&root().join("scripts")).into_iter().chain([root().join(".ci/run")]) {
        let name = script.strip_prefix(root()).expect("it is in here").display().to_string();
        let named = contributing.contains(&format!("`{name}")) || !habit(&name);
        assert!(named, "CONTRIBUTING.md does not name {name}");
        let mode = script.metadata().expect("the script is there").permissions().mode();
        assert!(mode & 0o111 == 0o111, "{name} is executable");
        assert!(read(&name).contains("set -euo pipefail"), "{name} stops at its first error");
    }
}

#[test]
fn sources_stay_small() {
    let mut sizes: Vec<(usize, PathBuf)> = sources(&[
        "rpc-amqp/src",
        "rpc-runtime/src",
        "rpc-macros/src",
        "rpc-cli/src",
        "tests/src",
        "benchmarks/src",
    ])
    .into_iter()
    .map(|file| (numbered(&file).len(), file))
    .collect();
    sizes.sort();
    let (median, _) = sizes[sizes.len() / 2];
    let (ninth, file) = &sizes[sizes.len() * 9 / 10];
    assert!(median <= 200, "the median source has {median} lines");
    assert!(*ninth <= 350, "one source in ten has more than 350 lines, {} {ninth}", file.display());
}

/// Whether those who work on this run it often. The others measure once in a while, and their pages name them.
fn habit(script: &str) -> bool {
    !matches!(script, "scripts/build-cost" | "scripts/macro-cost")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn version() -> String {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    version.expect("the workspace has a version").trim_matches('"').to_owned()
}

fn text(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn numbered(file: &Path) -> Vec<(usize, String)> {
    text(file).lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
}

/// Inputs of the macro's tests may contain whatever they are about.
fn fixture(file: &Path) -> bool {
    file.starts_with(root().join("tests/ui"))
}

/// Rust sources below these directories.
fn sources(directories: &[&str]) -> Vec<PathBuf> {
    let files = directories.iter().flat_map(|directory| walk(&root().join(directory)));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Every file of the project.
fn everything() -> Vec<PathBuf> {
    walk(root())
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        // A directory that only caches, as cargo's target directory wherever it is, says so by this file.
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

/// Whether the line names a path that starts with this, and not merely contains it (`tests/tmp/`, `~/.config/home/`).
fn absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|character| " \"'`(=:".contains(character))
    })
}
