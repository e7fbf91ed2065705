use std::env;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::Process;

/// The Python of the peers: a virtual environment with pika and aio-pika, made by `scripts/test`.
#[derive(Debug, Clone)]
pub struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// The interpreter in `RPC_TEST_PYTHON` if it is set, else the one in `target/python`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn find() -> Self {
        let given = env::var_os("RPC_TEST_PYTHON").map(PathBuf::from);
        if let Some(given) = given.as_ref().filter(|given| !given.is_file()) {
            panic!(
                "RPC_TEST_PYTHON={} does not exist: unset it, and scripts/test makes an environment of its own",
                given.display()
            );
        }
        let interpreter = given.or_else(|| {
            targets().map(|target| target.join("python/bin/python")).find(|it| it.is_file())
        });
        match interpreter {
            Some(interpreter) => Self { interpreter },
            None => panic!(
                "there is no Python with pika in target/python: run scripts/test, which makes it"
            ),
        }
    }

    /// The command of a program in `tests/python`, to be completed and run by the caller.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.interpreter);
        // -B prevents compiled files beside the sources; -u prints lines unbuffered.
        command.args(["-B", "-u"]).arg(root().join("tests/python").join(script));
        command
    }

    /// Starts a program in `tests/python`.
    pub fn start(&self, script: &str, arguments: &[&str]) -> Process {
        let mut command = self.command(script);
        command.args(arguments);
        Process::start(script, command)
    }
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Possible target directories of cargo: above this program, in `CARGO_TARGET_DIR`, and the default.
fn targets() -> impl Iterator<Item = PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let above: Vec<PathBuf> = program.ancestors().skip(1).take(5).map(Path::to_owned).collect();
    above
        .into_iter()
        .chain(env::var_os("CARGO_TARGET_DIR").map(PathBuf::from))
        .chain([root().join("target")])
}
