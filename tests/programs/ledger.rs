//! The service of the programs that tests kill: every run of a method writes a line to a file.

#![allow(dead_code, reason = "each program uses a part of it")]
#![allow(clippy::expect_used, reason = "a program under test prints why it ends")]

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rpc_runtime::{Context, rpc_service};
use serde::{Deserialize, Serialize};

/// Returns its argument, and records the run.
#[rpc_service]
pub(crate) trait Ledger {
    /// May run several times.
    #[rpc(idempotent)]
    async fn again(&self, id: u64) -> Run;

    /// Is sent once, and runs again if its server dies.
    async fn plain(&self, id: u64) -> Run;

    /// Runs once or not at all.
    #[rpc(at_most_once)]
    async fn once(&self, id: u64) -> Run;
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) redelivered: bool,
    /// The process that ran it.
    pub(crate) process: u32,
}

/// The implementation: each process writes a file in one directory.
#[derive(Debug)]
pub(crate) struct Book {
    file: File,
    pace: Duration,
}

impl Book {
    /// `pace` is how long a run takes.
    pub(crate) fn open(directory: &Path, pace: Duration) -> Self {
        let path = directory.join(format!("runs-{}", std::process::id()));
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self { file: file.expect("the directory is there"), pace }
    }

    async fn run(&self, id: u64) -> Run {
        // One short write is complete even if the process is killed.
        (&self.file).write_all(format!("{id}\n").as_bytes()).expect("the file can be written");
        tokio::time::sleep(self.pace).await;
        let redelivered = Context::current().is_some_and(|context| context.redelivered());
        Run { id, redelivered, process: std::process::id() }
    }
}

impl Ledger for Book {
    async fn again(&self, id: u64) -> Run {
        self.run(id).await
    }

    async fn plain(&self, id: u64) -> Run {
        self.run(id).await
    }

    async fn once(&self, id: u64) -> Run {
        self.run(id).await
    }
}

/// All runs that any process has recorded.
pub(crate) fn runs(directory: &Path) -> Vec<u64> {
    let files = std::fs::read_dir(directory).expect("the directory is there");
    let files = files.map(|entry| entry.expect("a file").path());
    let noted: Vec<PathBuf> = files
        .filter(|file| {
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("runs-"))
        })
        .collect();
    let text = |file: &PathBuf| std::fs::read_to_string(file).expect("the file is text");
    let all = noted.iter().map(text).collect::<String>();
    all.lines().map(|line| line.parse().expect("a number in each line")).collect()
}
