//! Clears up after a test process that could not do so itself.
//!
//! `Drop` does not run for statics, nor after `kill -9`. So a small shell script, in a process group of its own, holds the
//! read end of a pipe whose write end only this process has. When the pipe closes, for whatever reason, it kills the
//! process groups it was told of and removes the directories.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Kill this process group when the test process ends.
pub fn watch_group(leader: u32) {
    tell(&format!("group {leader}"));
}

/// The process group has been ended in order; its number may soon be somebody else's.
pub fn forget_group(leader: u32) {
    tell(&format!("forget {leader}"));
}

/// Remove this directory when the test process ends.
pub fn watch_dir(path: &Path) {
    tell(&format!("dir {}", path.display()));
}

/// The directory has been removed in order.
pub fn forget_dir(path: &Path) {
    tell(&format!("gone {}", path.display()));
}

fn tell(line: &str) {
    static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let mut pipe = PIPE
        .get_or_init(|| Mutex::new(start()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    writeln!(pipe, "{line}").expect("the guardian outlives this process, so it takes every line");
}

#[allow(
    clippy::zombie_processes,
    reason = "the guardian outlives whoever could wait for it"
)]
fn start() -> ChildStdin {
    let mut guardian = Command::new("/bin/sh")
        .args(["-c", include_str!("guardian.sh"), "guardian"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("/bin/sh starts");
    guardian.stdin.take().expect("its input was asked for")
}
