use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::files::Files;
use super::install::{self, Install};
use super::ports::{self, Ports};
use super::{Group, Node};
use crate::{eventually, guardian};

/// How often ports are chosen anew when somebody took one between our look and the node's.
const ATTEMPTS: usize = 3;

/// A [`Node`] to be.
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
    /// A line of `rabbitmq.conf`, `key = value`; it replaces the harness's own of that key.
    pub fn config(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// A file in the node's own directory, which `config` lines call `$NODE`: what lies elsewhere, a node that runs in a
    /// root of its own cannot see.
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

    /// Lets it [join](Node::join) this one in a cluster: they know each other's secret, and find each other.
    pub fn beside(mut self, other: &Node) -> Self {
        self.shared = Some((other.files.cookie.clone(), other.ports.epmd));
        self
    }

    /// A port nobody uses, for a listener that a [`config`](Self::config) line adds.
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
        // Erlang resolves its paths once, RabbitMQ again later: a symbolic link in between (as on macOS) makes them differ.
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

/// Erlang's port mapper, one for each node and as our child: left to itself, Erlang starts one that outlives everything.
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
