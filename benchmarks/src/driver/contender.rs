//! A contender: a server and a client that are measured, ours or a peer's.

use std::env;
use std::time::Duration;

use rpc_benchmarks::arguments::{Flavour, NUMBER};
use rpc_tests::{Process, unique};
use tokio::process::Command;

use crate::broker::{Broker, Consumers};
use crate::flags::Peer;

/// How long a program may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A contender is one row of the tables.
pub(crate) struct Contender {
    pub(crate) name: String,
    programs: Programs,
}

enum Programs {
    Own {
        program: &'static str,
        arguments: &'static [&'static str],
        queue: String,
        flavour: Flavour,
    },
    Peer {
        server: String,
        client: String,
    },
}

/// The load of a measurement, without the number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    pub(crate) servers: usize,
    pub(crate) window: usize,
    pub(crate) payload: usize,
}

impl Contender {
    /// A program of this package with a server and a client.
    pub(crate) fn own(
        name: &str,
        program: &'static str,
        arguments: &'static [&'static str],
        flavour: Flavour,
    ) -> Self {
        let queue = unique(program);
        Self {
            name: name.to_owned(),
            programs: Programs::Own { program, arguments, queue, flavour },
        }
    }

    /// Programs of a peer.
    pub(crate) fn peer(peer: &Peer) -> Self {
        let Peer { name, server, client } = peer.clone();
        Self { name, programs: Programs::Peer { server, client } }
    }

    /// The queue of requests, of a program of this package.
    pub(crate) fn queue(&self) -> &str {
        match &self.programs {
            Programs::Own { queue, .. } => queue,
            Programs::Peer { .. } => "",
        }
    }

    /// Whether it supports this setting.
    pub(crate) fn can(&self, setting: Setting) -> bool {
        match &self.programs {
            Programs::Own { .. } => true,
            Programs::Peer { client, .. } => {
                setting.payload == NUMBER || client.contains("{payload}")
            }
        }
    }

    /// Whether its client warms up and then prints that it begins.
    pub(crate) fn announces_begin(&self) -> bool {
        !matches!(self.programs, Programs::Peer { .. })
    }

    /// Starts another server; returns when it accepts requests.
    pub(crate) async fn serve(&self, broker: &Broker) -> Process {
        let before = broker.consumers().await;
        let process = self.start("server", self.server(broker));
        self.wait_until_ready(&process, broker, before).await;
        process
    }

    /// Starts a client that makes `total` calls.
    pub(crate) fn call(&self, broker: &Broker, setting: Setting, total: usize) -> Process {
        self.start("client", self.client(broker, setting, total))
    }

    /// Starts one of its programs, or a command that wraps one.
    pub(crate) fn start(&self, role: &str, command: Command) -> Process {
        Process::start(&format!("the {role} of {}", self.name), command)
    }

    /// Waits until this server accepts requests.
    pub(crate) async fn wait_until_ready(
        &self,
        process: &Process,
        broker: &Broker,
        before: Consumers,
    ) {
        match &self.programs {
            Programs::Peer { .. } => broker.another_consumer(before).await,
            Programs::Own { .. } => drop(process.line_with("serving", PATIENCE).await),
        }
    }

    /// The command of a server.
    pub(crate) fn server(&self, broker: &Broker) -> Command {
        let mut command = match &self.programs {
            Programs::Own { program, queue, flavour, .. } => {
                own(program, *flavour, &["server", "--queue", queue])
            }
            Programs::Peer { server, .. } => shell(server),
        };
        broker.pass_address(&mut command);
        command
    }

    /// The command of a client that makes `total` calls.
    pub(crate) fn client(&self, broker: &Broker, setting: Setting, total: usize) -> Command {
        let [window, payload, total] =
            [setting.window, setting.payload, total].map(|number| number.to_string());
        let load = ["--window", &window, "--payload", &payload, "--total", &total];
        let mut command = match &self.programs {
            Programs::Own { program, arguments, queue, flavour } => {
                let mut command = own(program, *flavour, &["client", "--queue", queue]);
                command.args(load).args(*arguments);
                command
            }
            Programs::Peer { client, .. } => {
                let client = client.replace("{window}", &window).replace("{total}", &total);
                shell(&client.replace("{payload}", &payload))
            }
        };
        broker.pass_address(&mut command);
        command
    }
}

/// A program that was built with this one.
pub(crate) fn built(name: &str) -> Command {
    let this = env::current_exe().expect("a running program knows its path");
    Command::new(this.with_file_name(name))
}

/// A measured program of this package.
fn own(name: &str, flavour: Flavour, arguments: &[&str]) -> Command {
    let mut command = built("bench-programs");
    command.args(["--runtime", flavour.name(), name]).args(arguments);
    command
}

/// A command line of a peer. `exec` replaces the shell, so that the process is the program.
fn shell(text: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec {text}"));
    command
}
