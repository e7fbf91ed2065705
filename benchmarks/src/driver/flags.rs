//! The driver's command line.

use clap::Parser;
use rpc_benchmarks::arguments::Flavour;

/// Measures calls over rpc-runtime beside the same by hand over lapin, in turns, and prints tables.
#[derive(Debug, Parser)]
pub(crate) struct Flags {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,

    /// How long each measurement is to take, in seconds.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,

    /// How many calls are in flight, one column each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 256, 4096])]
    pub(crate) windows: Vec<usize>,

    /// Only the rows whose names begin with one of these.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// How tokio runs in the programs that are measured.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Flavour,

    /// A further program, `NAME=SERVER::CLIENT`. Both commands get the broker as `AMQP_URL` and `AMQP_ADDR` (host and
    /// port); `{window}` and `{total}` in the client's are replaced. It prints a line with `rate=…/s` and, if it knows
    /// them, `p50=…us`, `p99=…us` or `mean=…us`.
    #[arg(long = "peer", value_name = "NAME=SERVER::CLIENT", value_parser = peer)]
    pub(crate) peers: Vec<Peer>,
}

impl Flags {
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only))
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
