//! Cleans up after a test process that was killed.
//!
//! `Drop` does not run for statics or after `kill -9`. So a small shell script in its own process group holds the read end
//! of a pipe, and only this process has the write end. When the pipe closes for any reason, the script kills the registered
//! process groups and removes the registered directories.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Kills this process group when the test process ends.
pub fn watch_group(leader: u32) {
    send(&format!("group {leader}"));
}

/// Forgets a process group that has ended. Its number may soon be reused.
pub fn forget_group(leader: u32) {
    send(&format!("forget {leader}"));
}

/// Removes this directory when the test process ends.
pub fn watch_dir(path: &Path) {
    send(&format!("dir {}", path.display()));
}

/// Forgets a directory that has been removed.
pub fn forget_dir(path: &Path) {
    send(&format!("gone {}", path.display()));
}

fn send(line: &str) {
    static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let mut pipe =
        PIPE.get_or_init(|| Mutex::new(start())).lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(pipe, "{line}").expect("the guardian outlives this process and reads every line");
}

#[allow(
    clippy::zombie_processes,
    reason = "the guardian outlives every process that could wait for it"
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// Simulates a killed test process: the pipe closes without another line.
    #[test]
    fn a_closed_pipe_ends_the_guarded_processes() {
        let sleeper = || {
            let mut command = Command::new("/bin/sh");
            // It has a child. Its output closes when both have ended.
            command.args(["-c", "sleep 600 & wait"]).stdout(Stdio::piped()).process_group(0);
            command.spawn().expect("sh starts")
        };
        let (mut guarded, mut released) = (sleeper(), sleeper());
        let dir =
            tempfile::Builder::new().prefix("rpc a b").tempdir().expect("a temporary directory");
        let kept = tempfile::tempdir().expect("a temporary directory");

        let mut guardian = Command::new("/bin/sh")
            .args(["-c", include_str!("guardian.sh")])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut pipe = guardian.stdin.take().expect("its input was asked for");
        write!(
            pipe,
            "group {}\ngroup {}\nforget {}\ndir {}\ndir {}\ngone {}\n",
            guarded.id(),
            released.id(),
            released.id(),
            dir.path().display(),
            kept.path().display(),
            kept.path().display(),
        )
        .expect("it reads");
        drop(pipe);

        let began = Instant::now();
        guarded.stdout.take().expect("asked for").read_to_end(&mut Vec::new()).expect("it ends");
        assert!(guardian.wait().expect("it ends").success());
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "nothing waited for the sleeper's own end"
        );
        assert!(!guarded.wait().expect("it ends").success());
        assert!(!dir.path().exists());

        assert!(matches!(released.try_wait(), Ok(None)), "the released process continues");
        assert!(kept.path().exists());
        drop(crate::node::Group::from(released));
    }
}
