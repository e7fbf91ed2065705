//! Programs that rustc refuses. Each faulty line is marked with the main part of the expected error: `//~ text`.
//!
//! Whole messages are not compared, because they change with the compiler. But their number is: an error without a mark
//! is a failure.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Checks every program of a folder.
pub(crate) fn check(folder: &str) {
    let programs = programs(folder);
    let project = project("rustc-worded", "rpc-runtime", &programs);
    let wrong: Vec<String> = programs
        .iter()
        .filter_map(|program| complaint(program, &compile(&project, program)))
        .collect();
    fs::remove_dir_all(&project).ok();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs every program of a folder, in a package that depends only on serde, tokio and the runtime under the given name.
pub(crate) fn run(folder: &str, runtime: &str) {
    let programs = programs(folder);
    let name = format!("user-{runtime}");
    let project = project(&name, runtime, &programs);
    for program in &programs {
        let output = cargo(&project, "run", program);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{stderr}", program.name);
    }
    fs::remove_dir_all(&project).ok();
}

/// rustc's complaints about a program that should have none.
pub(crate) fn complaints(name: &str, source: &str) -> String {
    let folder = target().join(format!("{name}-source"));
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let path = folder.join(format!("{name}.rs"));
    fs::write(&path, source).expect("the program can be written");
    let program = Program { name: name.to_owned(), path, expected: Vec::new() };
    let project = project(name, "rpc-runtime", std::slice::from_ref(&program));
    let output = compile(&project, &program);
    fs::remove_dir_all(&project).ok();
    let file = format!("{name}.rs:");
    output
        .lines()
        .filter(|line| line.contains(&file) || line.starts_with("error"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A program and its expected errors.
struct Program {
    name: String,
    path: PathBuf,
    expected: Vec<Mark>,
}

/// A line, and the text of its error.
#[derive(Debug)]
struct Mark {
    line: usize,
    text: String,
}

fn programs(folder: &str) -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is no program in {}", folder.display());
    paths.into_iter().map(Program::read).collect()
}

impl Program {
    fn read(path: PathBuf) -> Self {
        let source = fs::read_to_string(&path).expect("a program can be read");
        let marks = |(index, line): (usize, &str)| -> Vec<Mark> {
            let texts = line.split("//~ ").skip(1);
            texts.map(|text| Mark { line: index + 1, text: text.trim().to_owned() }).collect()
        };
        let name = path.file_stem().expect("a program has a name").to_string_lossy().into_owned();
        Self { name, expected: source.lines().enumerate().flat_map(marks).collect(), path }
    }
}

/// A package with every program as a binary. It uses the lock file and the target folder of this workspace.
fn project(name: &str, runtime: &str, programs: &[Program]) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = target().join(name);
    fs::create_dir_all(&project).expect("the target folder can be written");
    let path = tests.join("../rpc-runtime");
    let mut manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{runtime} = {{ package = \"rpc-runtime\", path = '{}' }}\n\
         serde = {{ version = \"1.0\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
        path.display()
    );
    for Program { name, path, .. } in programs {
        let path = path.display();
        let written = write!(manifest, "\n[[bin]]\nname = {name:?}\npath = '{path}'\n");
        written.expect("a String takes everything");
    }
    fs::write(project.join("Cargo.toml"), manifest).expect("the manifest can be written");
    fs::copy(tests.join("../Cargo.lock"), project.join("Cargo.lock"))
        .expect("there is a lock file");
    project
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
        .join("tests")
}

/// rustc's errors, one a line.
fn compile(project: &Path, program: &Program) -> String {
    let output = cargo(project, "check", program);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn cargo(project: &Path, command: &str, program: &Program) -> Output {
    Command::new(env!("CARGO"))
        .args([command, "--offline", "--quiet", "--message-format=short", "--bin", &program.name])
        .arg("--target-dir")
        .arg(target().join("rustc-worded-target"))
        .current_dir(project)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs")
}

/// The difference from the expected errors, if any.
fn complaint(program: &Program, output: &str) -> Option<String> {
    let file = program.path.file_name()?.to_string_lossy();
    let mut errors: Vec<Mark> = output.lines().filter_map(|line| error(line, &file)).collect();
    let mut missing = Vec::new();
    for mark in &program.expected {
        match errors
            .iter()
            .position(|error| error.line == mark.line && error.text.contains(&mark.text))
        {
            Some(found) => drop(errors.remove(found)),
            None => missing.push(mark),
        }
    }
    if missing.is_empty() && errors.is_empty() && !program.expected.is_empty() {
        return None;
    }
    Some(format!("{file}: missing {missing:#?}, unexpected {errors:#?}, of\n{output}"))
}

/// `path/file.rs:7:5: error[E0277]: text`
fn error(line: &str, file: &str) -> Option<Mark> {
    let (_, place) = line.split_once(&format!("{file}:"))?;
    let (place, text) = place.split_once(": error")?;
    let line = place.split(':').next()?.parse().ok()?;
    Some(Mark { line, text: text.split_once(": ")?.1.to_owned() })
}
