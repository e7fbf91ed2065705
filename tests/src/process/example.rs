use std::env;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::sync::Mutex;

use crate::python::root;

/// The program of an example. `cargo test --workspace` has built it. `cargo test -p` for this package has not, or not since its
/// sources changed; then it is built here.
pub(super) async fn find(name: &str) -> PathBuf {
    // One build at a time; a second test then finds the program.
    static BUILDING: Mutex<()> = Mutex::const_new(());
    let _building = BUILDING.lock().await;

    let program = profile_directory().join("examples").join(name);
    if !current(&program) {
        build(name).await;
        assert!(
            program.is_file(),
            "cargo built the example {name}, but not as {}",
            program.display()
        );
    }
    program
}

/// `target/debug` or the directory of another profile: this test's own program is in its `deps`.
fn profile_directory() -> PathBuf {
    let program = env::current_exe().expect("a running program knows its path");
    let deps = program.parent().expect("a program is in a directory");
    deps.parent().expect("cargo puts tests two directories deep").to_owned()
}

/// Whether it exists and is newer than the sources that cargo lists beside it.
fn current(program: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let Some(built) = modified(program) else {
        return false;
    };
    let noted = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = noted.split_once(": ").map_or("", |(_, sources)| sources.trim_end());
    // A space within a path is written as `\ `.
    let sources = sources.replace("\\ ", "\u{0}");
    sources
        .split(' ')
        .map(|source| PathBuf::from(source.replace('\u{0}', " ")))
        .all(|source| modified(&source).is_some_and(|changed| changed <= built))
}

async fn build(name: &str) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--quiet", "--example", name]);
    let profile = profile_directory();
    if profile.file_name().is_some_and(|profile| profile == "release") {
        command.arg("--release");
    }
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    // What cargo set for this test, and build scripts (ring's) would take for a change: they would run again, now and for the next cargo.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    let status = command.status().await.expect("cargo starts");
    assert!(status.success(), "the example {name} cannot be built: {status}");
}
