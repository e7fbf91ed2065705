mod builder;
mod control;
mod files;
mod install;
mod ports;
mod ready;

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

pub use self::builder::NodeBuilder;
use self::files::Files;
pub(crate) use self::install::Install;
use self::ports::Ports;
use crate::guardian;

/// A throwaway RabbitMQ node on free ports of the loopback interface, with its data in a temporary directory.
///
/// Dropping it kills it and removes everything.
#[derive(Debug)]
pub struct Node {
    name: String,
    install: Install,
    ports: Ports,
    files: Files,
    dir: Option<TempDir>,
    /// `None` for a node in a cluster, which uses the port mapper of another.
    epmd: Option<Group>,
    server: Mutex<Option<Group>>,
}

impl Node {
    /// A node with default settings.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A node with its own configuration, plugins or environment.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// `amqp://guest:guest@127.0.0.1:PORT/%2f`.
    pub fn url(&self) -> String {
        self.url_for("guest", "guest", "%2f")
    }

    /// The address for another user or virtual host. The caller percent-encodes each part if necessary.
    pub fn url_for(&self, user: &str, password: &str, vhost: &str) -> String {
        format!("amqp://{user}:{password}@127.0.0.1:{}/{vhost}", self.ports.amqp)
    }

    /// The port for AMQP without TLS.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// `rpc…@localhost`, as RabbitMQ's own tools call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Kills the node at once, like a power cut. Its data stays for [`restart`](Self::restart).
    pub fn kill9(&self) {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Pauses the node. Its sockets stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Resumes the node after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts the node again on the same ports and data, killing it first if it runs; returns when it serves.
    pub async fn restart(&self) {
        self.kill9();
        self.boot().await.unwrap_or_else(|error| panic!("the node does not come back: {error}"));
    }

    /// The log and the standard output of the node so far.
    pub fn log(&self) -> String {
        self.files.log()
    }

    fn signal(&self, signal: Signal) {
        match &*self.server.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(server) => server.signal(signal),
            None => panic!("the node {} does not run", self.name),
        }
    }

    async fn boot(&self) -> Result<(), String> {
        let mut command = Command::new(self.install.server());
        command.envs(self.files.environment(&self.name, self.ports)).stdin(Stdio::null());
        self.files.capture(&mut command);
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Group::start(&mut command));

        let served = ready::wait(self.ports.amqp, || self.ended(), || self.files.booted()).await;
        served.map_err(|reason| format!("{reason}\n{}", self.log()))
    }

    fn ended(&self) -> bool {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_mut().is_none_or(Group::ended)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill9();
        self.epmd.take();
        if let Some(dir) = self.dir.take() {
            let path = dir.path().to_owned();
            // The node's helper processes may still write, so try several times.
            for _ in 0..100 {
                if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            guardian::forget_dir(&path);
        }
    }
}

/// A process with its descendants, killed on drop.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> Self {
        use std::os::unix::process::CommandExt as _;

        let leader = command.process_group(0).spawn().unwrap_or_else(|error| {
            panic!("{} does not start: {error}", command.get_program().display())
        });
        guardian::watch_group(leader.id());
        Self { leader }
    }

    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.leader.try_wait(), Ok(None))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw);
        // An error means that it has already ended, which callers notice in other ways.
        let _ = kill_process_group(id.expect("the id of a process"), signal);
    }

    fn end(&mut self) {
        self.signal(Signal::KILL);
        guardian::forget_group(self.leader.id());
        let _ = self.leader.wait();
    }
}

#[cfg(test)]
impl From<Child> for Group {
    fn from(leader: Child) -> Self {
        Self { leader }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}
