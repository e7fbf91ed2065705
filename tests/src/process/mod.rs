mod example;

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::guardian;

/// Another program. Its output is collected by line, and it is killed with its descendants on drop.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    id: u32,
    output: Arc<Output>,
}

#[derive(Debug)]
struct Output {
    lines: Mutex<Vec<String>>,
    /// How many of the two streams are still open; it also notifies on every line.
    open: watch::Sender<usize>,
}

impl Process {
    /// Starts a program; `name` is for messages.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(name: &str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let id = child.id().expect("a process just started has an id");
        guardian::watch_group(id);

        let output = Arc::new(Output { lines: Mutex::default(), open: watch::Sender::new(2) });
        tokio::spawn(Arc::clone(&output).read(child.stdout.take()));
        tokio::spawn(Arc::clone(&output).read(child.stderr.take()));
        Self { name: name.to_owned(), child, id, output }
    }

    /// Starts one of the workspace's examples, and builds it first if necessary.
    pub async fn example(name: &str, arguments: &[&str]) -> Self {
        Self::example_with(name, arguments, &[]).await
    }

    /// The same with environment variables.
    pub async fn example_with(
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(example::find(name).await);
        command.args(arguments).envs(environment.iter().copied());
        Self::start(name, command)
    }

    /// The first line that contains `text`, already printed or later.
    ///
    /// # Panics
    ///
    /// If the output ends or the time passes without it, with the program's output.
    pub async fn line_with(&self, text: &str, patience: Duration) -> String {
        let mut changes = self.output.open.subscribe();
        let found = timeout(patience, async {
            loop {
                let open = *changes.borrow_and_update();
                if let Some(line) = self.lines().into_iter().find(|line| line.contains(text)) {
                    return Some(line);
                }
                if open == 0 || changes.changed().await.is_err() {
                    return None;
                }
            }
        });
        let Ok(found) = found.await else {
            panic!(
                "{} has not printed {text:?} after {patience:?}:\n{}",
                self.name,
                self.lines().join("\n")
            );
        };
        found.unwrap_or_else(|| {
            panic!("{} ended without printing {text:?}:\n{}", self.name, self.lines().join("\n"))
        })
    }

    /// Its process id, until [`wait`](Self::wait) has returned.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its output so far, from both streams.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for its end and for all its output.
    ///
    /// # Panics
    ///
    /// If it still runs after the time.
    pub async fn wait(&mut self, patience: Duration) -> ExitStatus {
        let mut changes = self.output.open.subscribe();
        let ended = timeout(patience, async {
            let status = self.child.wait().await.expect("the end of our child can be waited for");
            let _ = changes.wait_for(|open| *open == 0).await;
            status
        });
        let Ok(status) = ended.await else {
            panic!("{} still runs after {patience:?}:\n{}", self.name, self.lines().join("\n"));
        };
        status
    }

    /// Waits for its end, which must be a success, and returns its output.
    ///
    /// # Panics
    ///
    /// If it fails or takes too long.
    pub async fn success(mut self, patience: Duration) -> String {
        let status = self.wait(patience).await;
        let printed = self.lines().join("\n");
        assert!(status.success(), "{}: {status}\n{printed}", self.name);
        printed
    }

    /// Sends SIGINT, like Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends SIGTERM, like service managers.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGKILL: it cannot clean up.
    pub fn kill9(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends SIGSTOP: it stops, and its sockets stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Sends SIGCONT: it continues.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let group =
            i32::try_from(self.id).ok().and_then(Pid::from_raw).expect("the id of a process");
        // An error means that it has already ended, which callers notice in other ways.
        let _ = kill_process_group(group, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
        guardian::forget_group(self.id);
    }
}

impl Output {
    async fn read(self: Arc<Self>, stream: Option<impl AsyncRead + Unpin>) {
        let stream = stream.expect("both streams were asked for");
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            self.open.send_modify(|_| ());
        }
        self.open.send_modify(|open| *open -= 1);
    }
}
