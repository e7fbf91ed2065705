use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::files::Files;
use super::install::{self, Install};
use super::ports::{self, Ports};
use super::{Group, Node};
use crate::{eventually, guardian};

/// A starting node keeps a processor busy for seconds, and many at once would all be slow. Restarts do not wait here: the
/// deadlines of their test's calls are running.
static STARTING: Semaphore = Semaphore::const_new(2);

/// How often to choose new ports if another program takes one before the node does.
const ATTEMPTS: usize = 3;

/// Builds a [`Node`].
#[derive(Debug, Default, Clone)]
pub struct NodeBuilder {
    lines: Vec<String>,
    plugins: Vec<String>,
    files: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    /// The cookie and the port mapper of another node.
    shared: Option<(String, u16)>,
}

impl NodeBuilder {
    /// A line of `rabbitmq.conf`, `key = value`. It replaces the harness's line of the same key.
    pub fn config(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// A file in the node's own directory, which `config` lines call `$NODE`. A node in a changed root cannot see other files.
    pub fn file(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    /// Enables a plugin that comes with RabbitMQ.
    pub fn plugin(mut self, name: impl Into<String>) -> Self {
        self.plugins.push(name.into());
        self
    }

    /// A variable in the node's environment.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Lets it [join](Node::join) this one in a cluster: both have the same secret and port mapper.
    pub fn beside(mut self, other: &Node) -> Self {
        self.shared = Some((other.files.cookie.clone(), other.ports.epmd));
        self
    }

    /// A free port, for a listener that a [`config`](Self::config) line adds.
    pub fn free_port() -> u16 {
        ports::one()
    }

    /// Starts the node; returns when it serves.
    ///
    /// # Panics
    ///
    /// When RabbitMQ is not installed, or does not start: with the node's log.
    pub async fn start(self) -> Node {
        let Some(install) = Install::find() else {
            panic!(
                "no rabbitmq-server is installed: run scripts/test, which sets up what is missing"
            );
        };
        let _starting = STARTING.acquire().await.expect("nobody closes it");
        let mut failures = Vec::new();
        for _ in 0..ATTEMPTS {
            let node = self.prepare(install.clone()).await;
            match node.boot().await {
                Ok(()) => return node,
                Err(failure) => failures.push(failure),
            }
        }
        panic!("RabbitMQ does not start:\n{}", failures.join("\n"));
    }

    async fn prepare(&self, install: Install) -> Node {
        let dir = tempfile::Builder::new()
            .prefix("rpc-node-")
            .tempdir()
            .expect("a temporary directory can be made");
        guardian::watch_dir(dir.path());
        // Erlang resolves its paths once and RabbitMQ later again. A symbolic link (as on macOS) would make them differ.
        let root = fs::canonicalize(dir.path()).expect("the directory was just made");

        let mut ports = Ports::free();
        let epmd = match &self.shared {
            Some((_, epmd)) => {
                ports.epmd = *epmd;
                None
            }
            None => Some(start_epmd(ports.epmd).await),
        };
        let cookie = self.shared.as_ref().map(|(cookie, _)| cookie.as_str());
        let files = Files::write(&root, ports, &self.lines, &self.plugins, cookie)
            .with_files(&self.files)
            .with_environment(self.environment.clone());
        let name = format!("rpc{}@localhost", ports.amqp);
        Node { name, install, ports, files, dir: Some(dir), epmd, server: Mutex::new(None) }
    }
}

/// Starts Erlang's port mapper for a node, as our child. By default, Erlang starts one that never ends.
async fn start_epmd(port: u16) -> Group {
    let program =
        install::erlang("epmd").expect("Erlang, which RabbitMQ needs, has an epmd in PATH");
    let port = port.to_string();
    let group = Group::start(
        Command::new(program)
            .args(["-port", &port, "-address", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let address = format!("127.0.0.1:{port}");
    eventually("epmd listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(&address).ok()
    })
    .await;
    group
}
