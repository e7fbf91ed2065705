//! The driver's command line.

use clap::{Parser, ValueEnum};
use rpc_benchmarks::arguments::Flavour;

/// Measures calls over rpc-runtime and the same calls by hand over lapin, in turns, and prints tables.
#[derive(Debug, Parser)]
pub(crate) struct Flags {
    /// What to measure [default: everything].
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,

    /// A test run of a few seconds that shows whether everything works. Its figures mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,

    /// Number of rounds.
    #[arg(long)]
    rounds: Option<usize>,

    /// How long each measurement should take, in seconds.
    #[arg(long)]
    seconds: Option<f64>,

    /// How many calls to keep in flight [default: 1, 16, 256 and 4096].
    #[arg(long, value_delimiter = ',')]
    windows: Vec<usize>,

    /// The bytes of an argument and of its result [default: 8, 1 KiB, 64 KiB and 1 MiB].
    #[arg(long, value_delimiter = ',')]
    payloads: Vec<usize>,

    /// How many calls to keep in flight while payloads are compared.
    #[arg(long, default_value_t = 16)]
    pub(crate) payload_window: usize,

    /// How many calls to make to see whether memory is lost.
    #[arg(long)]
    calls: Option<usize>,

    /// Only rows whose names begin with one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// The kind of tokio runtime in the measured programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Flavour,

    /// Another pair of programs, `NAME=SERVER::CLIENT`; targets compare with the one called `limit`. Both commands get the
    /// broker as `AMQP_URL` and as `AMQP_ADDR` (host and port). `{window}`, `{total}` and `{payload}` in the client's are
    /// replaced; a client without `{payload}` sends 8 bytes. The client prints a line with `rate=…/s` and, if it measures
    /// them, `p50=…us`, `p99=…us` or `mean=…us`.
    #[arg(long = "peer", value_name = "NAME=SERVER::CLIENT", value_parser = peer)]
    pub(crate) peers: Vec<Peer>,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls a second and latencies, by number of calls in flight.
    Calls,
    /// Bytes a second.
    Payloads,
    /// One server and four.
    Servers,
    /// Memory of the calling process.
    Memory,
    /// Instructions for each call.
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

/// The programs of a peer.
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
