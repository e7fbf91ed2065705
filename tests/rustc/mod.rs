//! Compiles programs as a user does, in a package that depends on the runtime, and reads rustc's messages.
//!
//! All packages use one target directory and one profile, so their dependencies are built once.

mod message;

use std::{
    collections::HashMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(crate) use message::Message;

/// A package with every program of a folder as a binary.
pub(crate) struct Package {
    name: &'static str,
    /// The line of the manifest that names the runtime.
    runtime: String,
    programs: Vec<Program>,
}

/// A program of such a package.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The result of compiling a program.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) messages: Vec<Message>,
    /// The path of the executable, if there were no errors.
    executable: Option<PathBuf>,
}

impl Package {
    /// The programs of a folder. `runtime` is the name of rpc-runtime in the manifest, and `features` are its features.
    pub(crate) fn of(folder: &str, name: &'static str, runtime: &str, features: &[&str]) -> Self {
        // Absolute, as in cargo's messages.
        let folder = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
            .expect("the folder exists");
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("the folder exists")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
        paths.sort();
        assert!(!paths.is_empty(), "there is no program in {}", folder.display());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rpc-runtime");
        let runtime = format!(
            "{runtime} = {{ package = \"rpc-runtime\", path = '{}', features = {features:?} }}",
            path.display()
        );
        Self { name, runtime, programs: paths.into_iter().map(Program::at).collect() }
    }

    /// A program that is not in a file yet.
    pub(crate) fn from_source(name: &'static str, source: &str) -> Self {
        let folder = target().join(format!("{name}-source"));
        fs::create_dir_all(&folder).expect("the target folder can be written");
        fs::write(folder.join(format!("{name}.rs")), source).expect("the program can be written");
        let package = Self::of(&folder.display().to_string(), name, "rpc-runtime", &[]);
        assert_eq!(package.programs.len(), 1, "{} holds one program", folder.display());
        package
    }

    /// Compiles every program, even if an earlier one fails.
    pub(crate) fn compile(self) -> Vec<(Program, Compiled)> {
        let folder = self.write();
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet", "--bins", "--keep-going"])
            .args(["--message-format=json", "--target-dir"])
            .arg(target().join("programs"))
            .current_dir(&folder)
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            // In a terminal, rustc would use its width.
            .stdin(Stdio::null())
            .output()
            .expect("cargo runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let mut compiled = compiled(&String::from_utf8_lossy(&output.stdout));
        fs::remove_dir_all(&folder).ok();
        let of = |program: Program| {
            let of = compiled.remove(&program.path);
            let of =
                of.unwrap_or_else(|| panic!("cargo did not compile {}:\n{stderr}", program.name));
            (program, of)
        };
        self.programs.into_iter().map(of).collect()
    }

    /// Compiles and runs every program. Each has to succeed.
    pub(crate) fn run(self) {
        for (Program { name, .. }, compiled) in self.compile() {
            let texts = compiled.texts();
            let executable = compiled.executable;
            let executable = executable.unwrap_or_else(|| panic!("{name} is refused:\n{texts}"));
            let output = Command::new(executable).output().expect("a program just built starts");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {}\n{stderr}", output.status);
        }
    }

    /// Writes the package into the target directory, with this workspace's lock file. Debug information is off, because
    /// nothing reads it.
    fn write(&self) -> PathBuf {
        let folder = target().join(self.name);
        fs::create_dir_all(&folder).expect("the target folder can be written");
        let mut manifest = format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.dev]\ndebug = false\n\n\
             [dependencies]\n{}\n\
             serde = {{ version = \"1.0\", features = [\"derive\"] }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
            self.name, self.runtime
        );
        for Program { name, path } in &self.programs {
            let path = path.display();
            let written = write!(manifest, "\n[[bin]]\nname = {name:?}\npath = '{path}'\n");
            written.expect("a String takes everything");
        }
        fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest can be written");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, folder.join("Cargo.lock")).expect("there is a lock file");
        folder
    }
}

impl Program {
    fn at(path: PathBuf) -> Self {
        let name = path.file_stem().expect("a program has a name").to_string_lossy().into_owned();
        Self { name, path }
    }

    pub(crate) fn source(&self) -> String {
        fs::read_to_string(&self.path).expect("a program can be read")
    }
}

impl Compiled {
    /// All messages as rustc prints them.
    pub(crate) fn texts(&self) -> String {
        self.messages.iter().map(|message| message.text.as_str()).collect()
    }
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from)
        .join("tests")
}

/// The result for each program, by the path of its source.
fn compiled(report: &str) -> HashMap<PathBuf, Compiled> {
    let mut programs: HashMap<PathBuf, Compiled> = HashMap::new();
    for line in report.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("cargo writes JSON");
        let Some(path) = line["target"]["src_path"].as_str() else {
            continue;
        };
        let program = programs.entry(PathBuf::from(path)).or_default();
        if let Some(executable) = line["executable"].as_str() {
            program.executable = Some(PathBuf::from(executable));
        }
        program.messages.extend(Message::read(&line["message"]));
    }
    programs
}
