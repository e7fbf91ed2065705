//! Checks the project's rules in its files.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

mod files;
mod words;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use files::{
    everything, fixture, is_this_test, numbered, packages, read, root, sources, text, walk,
};

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

/// lapin is a driver behind a feature, a reference in tests of the wire, and a comparison in benchmarks. Other users do not
/// build it.
#[test]
fn only_its_driver_and_wire_tests_use_lapin() {
    let wire = root().join("rpc-amqp/src");
    let of_lapin = [
        "rpc-runtime/src/transport/lapin",
        "rpc-runtime/src/transport/conformance",
        "rpc-runtime/src/broker/over_lapin.rs",
        "examples/features/over_lapin.rs",
    ];
    for file in
        sources(&["rpc-amqp", "rpc-runtime/src", "rpc-macros/src", "rpc-cli", "examples", "tests"])
    {
        let tests_the_wire = file.starts_with(&wire) && file.ends_with("tests.rs");
        let is_driver = of_lapin.iter().any(|place| file.starts_with(root().join(place)));
        if tests_the_wire || is_driver || is_this_test(&file) || fixture(&file) {
            continue;
        }
        for (number, line) in numbered(&file) {
            let code = line.split("//").next().unwrap_or_default();
            let mut paths = code.match_indices("lapin::");
            let names_it = paths.any(|(at, _)| !code[..at].ends_with('_'));
            assert!(!names_it, "{}:{number} names lapin", file.display());
        }
    }
    for package in ["rpc-amqp", "rpc-runtime"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        let users = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        let mut dependency = users.lines().filter(|line| line.starts_with("lapin = {"));
        let is_optional = dependency.all(|line| line.contains("optional = true"));
        assert!(is_optional, "a user of {package} builds lapin without asking for it");
    }
}

/// A setter has the name of its option and takes the builder by value. The compiler warns about a dropped builder.
#[test]
fn setters_have_one_style() {
    let mut setters = 0;
    for file in sources(&["rpc-runtime/src", "rpc-amqp/src"]) {
        for (number, line) in numbered(&file) {
            let Some((_, name)) = line.split_once("pub fn ") else { continue };
            if !line.contains("(mut self") {
                continue;
            }
            setters += 1;
            let place = format!("{}:{number}", file.display());
            assert!(!name.starts_with("set_") && !name.starts_with("with_"), "{place}: {name}");
            assert!(text(&file).contains("#[must_use"), "{place}: its type has no #[must_use]");
        }
    }
    assert!(setters > 50, "{setters} setters were found");
}

/// A later version, or a feature, may add a field to what users read.
#[test]
fn structs_with_public_fields_can_grow() {
    // What users make themselves, in mocks, and what generated code makes.
    let complete = ["TooLarge", "UntypedReply", "ServiceParts", "MethodParts"];
    let mut found = 0;
    for file in sources(&["rpc-runtime/src"]) {
        let lines = numbered(&file);
        for (at, (number, line)) in lines.iter().enumerate() {
            let Some(name) = line.strip_prefix("pub struct ") else { continue };
            let mut body = lines[at + 1..].iter().take_while(|(_, line)| !line.starts_with('}'));
            if !line.ends_with('{') || !body.any(|(_, line)| line.starts_with("    pub ")) {
                continue;
            }
            let mut above = lines[..at].iter().rev().take_while(|(_, line)| !line.is_empty());
            let grows = above.any(|(_, line)| line == "#[non_exhaustive]");
            let known = complete.iter().any(|known| name.starts_with(known));
            assert!(
                grows || known,
                "{}:{number}: {name} is not `#[non_exhaustive]`",
                file.display()
            );
            found += 1;
        }
    }
    assert!(found > 15, "{found} structs were found");
}

/// A feature of a dependency is switched on for the whole program of a user.
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

/// The protocol is a crate of its own, and only one folder of the framework uses it.
#[test]
fn only_the_amqp_transport_uses_amqp() {
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
    // A file with `fn main` that is not declared is never compiled.
    for file in sources(&["examples"]) {
        let main = numbered(&file).iter().any(|(_, line)| line.contains("fn main("));
        let known = declared.iter().any(|path| file.ends_with(path));
        assert!(!main || known, "{} is no declared example", file.display());
    }
}

/// Without `-p`, cargo builds with the features that all packages of the workspace need together.
#[test]
fn commands_that_run_an_example_name_its_package() {
    let packages = ["examples", "examples/features", "examples/testing", "rpc-amqp"];
    let mut named = 0;
    for file in everything().into_iter().chain([root().join(".ci/run")]) {
        let extension = file.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("rs" | "md") | None) || is_this_test(&file) {
            continue;
        }
        // A command may continue in the next line.
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
fn every_guide_page_is_in_the_contents() {
    let contents = read("docs/README.md");
    for page in walk(&root().join("docs")) {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(
            name == "README.md" || contents.contains(&format!("({name})")),
            "docs/README.md does not lead to {name}"
        );
    }
}

/// Each row of the failure modes names the tests that show it.
#[test]
fn every_test_named_in_failure_modes_exists() {
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

/// The integration tests run those in Python directly from the page.
#[test]
fn recipes_for_other_languages_are_tested() {
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

/// `cargo test` builds examples, and these programs, without the means to run tests in them.
#[test]
fn tests_stand_where_cargo_runs_them() {
    let manifests = everything().into_iter().filter(|file| file.ends_with("Cargo.toml"));
    for manifest in manifests.filter(|file| !fixture(file)) {
        for section in text(&manifest).split("\n[") {
            let untested = section.contains("\ntest = false")
                || section.starts_with("[example]]") && !section.contains("\ntest = true");
            let path = section.lines().find_map(|line| line.strip_prefix("path = "));
            let (true, Some(path)) = (untested, path) else {
                continue;
            };
            let path = manifest.with_file_name(path.trim_matches('"'));
            let modules = path.ends_with("main.rs").then(|| path.parent().map(walk)).flatten();
            for file in modules.unwrap_or_else(|| vec![path]) {
                let tests = text(&file).contains("test]\n");
                assert!(!tests, "{} has tests that nothing runs", file.display());
            }
        }
    }
}

#[test]
fn nothing_is_disabled_or_left_for_later() {
    // Split here, so that this test does not find itself.
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
    // Split here, so that this test does not find itself.
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
    for package in packages() {
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
        if fixture(&file) || is_this_test(&file) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source is text");
        for attribute in text.split("[allow(").skip(1).chain(text.split("[expect(").skip(1)) {
            let attribute = attribute.split(")]").next().unwrap_or_default();
            // Code in `quote!` has attributes for generated code.
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
fn published_packages_have_complete_manifests() {
    let workspace = read("Cargo.toml");
    for key in ["license", "repository", "keywords", "categories", "rust-version"] {
        assert!(
            workspace.lines().any(|line| line.starts_with(&format!("{key} = "))),
            "the workspace sets {key}"
        );
    }
    let published = ["rpc-amqp", "rpc-macros", "rpc-runtime", "rpc-cli"];
    for package in published {
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
    for package in packages().iter().filter(|package| !published.contains(&package.as_str())) {
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

/// Whether contributors run the script often. The other scripts measure occasionally, and their pages name them.
fn habit(script: &str) -> bool {
    !matches!(script, "scripts/build-cost" | "scripts/macro-cost")
}

fn version() -> String {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    version.expect("the workspace has a version").trim_matches('"').to_owned()
}

/// Whether the line names a path that starts with this, rather than one that contains it (`tests/tmp/`, `~/.config/home/`).
fn absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|character| " \"'`(=:".contains(character))
    })
}
