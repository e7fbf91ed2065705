//! The driver's command line.

use clap::{Parser, ValueEnum};
use rpc_benchmarks::arguments::Flavour;

/// Measures calls over rpc-runtime beside the same by hand over lapin, in turns, and prints tables.
#[derive(Debug, Parser)]
pub(crate) struct Flags {
    /// What to measure; everything, unless said.
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,

    /// A run that shows whether everything works, in seconds; its figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,

    /// How often everything is measured.
    #[arg(long)]
    rounds: Option<usize>,

    /// How long each measurement is to take, in seconds.
    #[arg(long)]
    seconds: Option<f64>,

    /// How many calls are in flight; by default 1, 16, 256 and 4096.
    #[arg(long, value_delimiter = ',')]
    windows: Vec<usize>,

    /// The bytes of an argument and of its result; by default 8, 1 KiB, 64 KiB and 1 MiB.
    #[arg(long, value_delimiter = ',')]
    payloads: Vec<usize>,

    /// How many calls are in flight while payloads are compared.
    #[arg(long, default_value_t = 16)]
    pub(crate) payload_window: usize,

    /// How many calls are made to see whether they leave something behind.
    #[arg(long)]
    calls: Option<usize>,

    /// Only the rows whose names begin with one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// How tokio runs in the programs that are measured.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Flavour,

    /// A further program, `NAME=SERVER::CLIENT`; the one called `limit` has targets. Both commands get the broker as
    /// `AMQP_URL` and as `AMQP_ADDR` (host and port); `{window}`, `{total}` and `{payload}` in the client's are replaced,
    /// and one without `{payload}` sends 8 bytes. The client prints a line with `rate=…/s` and, if it knows them,
    /// `p50=…us`, `p99=…us` or `mean=…us`.
    #[arg(long = "peer", value_name = "NAME=SERVER::CLIENT", value_parser = peer)]
    pub(crate) peers: Vec<Peer>,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls a second, and how long they take, by how many are in flight.
    Calls,
    /// Bytes a second.
    Payloads,
    /// One server and four.
    Servers,
    /// Bytes in the calling process.
    Memory,
    /// Instructions of the processor.
    Instructions,
}

impl Flags {
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only))
    }

    pub(crate) fn windows(&self) -> Vec<usize> {
        let all: &[usize] = if self.quick { &[1, 256] } else { &[1, 16, 256, 4096] };
        if self.windows.is_empty() { all.to_vec() } else { self.windows.clone() }
    }

    pub(crate) fn payloads(&self) -> Vec<usize> {
        let all: &[usize] = if self.quick { &[8, 65_536] } else { &[8, 1024, 65_536, 1_048_576] };
        if self.payloads.is_empty() { all.to_vec() } else { self.payloads.clone() }
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(5)
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(1.0)
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.unwrap_or(if self.quick { 1_000 } else { 1_000_000 })
    }
}

/// A program that is not ours.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) client: String,
}

fn peer(text: &str) -> Result<Peer, String> {
    let parts = text.split_once('=').and_then(|(name, commands)| {
        let (server, client) = commands.split_once("::")?;
        Some(Peer { name: name.to_owned(), server: server.to_owned(), client: client.to_owned() })
    });
    parts.ok_or_else(|| "a peer is NAME=SERVER::CLIENT".to_owned())
}

#[cfg(test)]
mod tests {
    use super::peer;

    #[test]
    fn a_peer_is_a_name_and_two_commands() {
        let limit = peer("limit=limit server::limit client {window} --a=b").expect("it is one");
        assert_eq!(limit.name, "limit");
        assert_eq!(limit.server, "limit server");
        assert_eq!(limit.client, "limit client {window} --a=b");
        assert!(peer("limit=one command").is_err());
        assert!(peer("two::commands").is_err());
    }
}
