//! What is measured: a server and a client, ours or anybody's.

use std::env;
use std::time::Duration;

use rpc_benchmarks::arguments::Flavour;
use rpc_tests::{Process, unique};
use tokio::process::Command;

use crate::broker::Broker;
use crate::flags::{Flags, Peer};

/// How long a program may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A row.
pub(crate) struct Contender {
    name: String,
    programs: Programs,
}

enum Programs {
    Own { program: String, arguments: Vec<String>, queue: String, flavour: Flavour },
    Peer { server: String, client: String },
}

/// What a client is to do, but for how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    pub(crate) window: usize,
    pub(crate) payload: usize,
}

impl Contender {
    pub(crate) fn own(name: &str, program: &str, arguments: &[&str], flags: &Flags) -> Self {
        let programs = Programs::Own {
            program: format!("bench-{program}"),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            queue: unique(program),
            flavour: flags.runtime,
        };
        Self { name: name.to_owned(), programs }
    }

    pub(crate) fn peer(peer: &Peer) -> Self {
        let Peer { name, server, client } = peer.clone();
        Self { name, programs: Programs::Peer { server, client } }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its client warms up and says when it begins.
    pub(crate) fn says_when_it_begins(&self) -> bool {
        matches!(self.programs, Programs::Own { .. })
    }

    /// Starts another server of it; returns when it takes requests.
    pub(crate) async fn serve(&self, broker: &Broker) -> Process {
        let mut command = match &self.programs {
            Programs::Own { program, queue, flavour, .. } => {
                own(program, &["server", "--queue", queue], *flavour)
            }
            Programs::Peer { server, .. } => shell(server),
        };
        broker.tell(&mut command);
        let before = broker.consumers().await;
        let process = Process::start(&format!("the server of {}", self.name), command);
        match &self.programs {
            Programs::Own { .. } => drop(process.line_with("serving", PATIENCE).await),
            Programs::Peer { .. } => broker.consumer_after(before).await,
        }
        process
    }

    /// Starts a client that makes so many calls.
    pub(crate) fn call(&self, broker: &Broker, setting: Setting, total: usize) -> Process {
        let [window, payload, total] =
            [setting.window, setting.payload, total].map(|number| number.to_string());
        let mut command = match &self.programs {
            Programs::Own { program, arguments, queue, flavour } => {
                let load = [
                    "client",
                    "--queue",
                    queue,
                    "--window",
                    &window,
                    "--payload",
                    &payload,
                    "--total",
                    &total,
                ];
                let mut command = own(program, &load, *flavour);
                command.args(arguments);
                command
            }
            Programs::Peer { client, .. } => shell(
                &client
                    .replace("{window}", &window)
                    .replace("{total}", &total)
                    .replace("{payload}", &payload),
            ),
        };
        broker.tell(&mut command);
        Process::start(&format!("the client of {}", self.name), command)
    }
}

/// A program that was built with this one.
fn own(program: &str, arguments: &[&str], flavour: Flavour) -> Command {
    let this = env::current_exe().expect("a running program knows its path");
    let mut command = Command::new(this.with_file_name(program));
    command.args(arguments).arg("--runtime").arg(match flavour {
        Flavour::MultiThread => "multi-thread",
        Flavour::CurrentThread => "current-thread",
    });
    command
}

/// Somebody's command, as a shell reads it; the process is the program's and not the shell's.
fn shell(text: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec {text}"));
    command
}
