//! The command line of a program under measurement.

use clap::{Args, Subcommand, ValueEnum};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

/// A server, or a client of it.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Serves until SIGTERM.
    Server(ServerArguments),
    /// Calls, and says how long it took.
    Client(ClientArguments),
}

/// What both ends have to know.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The address of RabbitMQ.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub url: String,

    /// The queue of requests.
    #[arg(long)]
    pub queue: String,
}

/// What a server has to know.
#[derive(Debug, Clone, Args)]
pub struct ServerArguments {
    /// What both ends have to know.
    #[command(flatten)]
    pub common: Common,
}

/// What a client has to know.
#[derive(Debug, Clone, Args)]
pub struct ClientArguments {
    /// What both ends have to know.
    #[command(flatten)]
    pub common: Common,

    /// Which calls to make.
    #[command(flatten)]
    pub load: Load,

    /// Leaves confirms off, where the program has a choice.
    #[arg(long)]
    pub no_confirms: bool,
}

/// Which calls to make.
#[derive(Debug, Clone, Copy, Args)]
pub struct Load {
    /// How many are in flight at once.
    #[arg(long)]
    pub window: usize,

    /// How many are measured.
    #[arg(long)]
    pub total: usize,

    /// The bytes of an argument and of its result; 8 is a number and its successor, anything else is echoed.
    #[arg(long, default_value_t = NUMBER)]
    pub payload: usize,
}

/// The payload that is a number.
pub const NUMBER: usize = 8;

/// How tokio runs: by default as `#[tokio::main]` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// A worker thread for each core.
    #[default]
    MultiThread,
    /// One thread for everything.
    CurrentThread,
}

impl Flavour {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MultiThread => "multi-thread",
            Self::CurrentThread => "current-thread",
        }
    }

    /// A runtime of this kind.
    ///
    /// # Errors
    ///
    /// The system gives no threads.
    pub fn runtime(self) -> Result<Runtime, Failure> {
        let mut builder = match self {
            Self::MultiThread => Builder::new_multi_thread(),
            Self::CurrentThread => Builder::new_current_thread(),
        };
        Ok(builder.enable_all().build()?)
    }
}

/// Tells whoever started a server that it takes requests.
pub fn serving() {
    println!("serving");
}

/// Resolves when the server is to end.
///
/// # Errors
///
/// Signals cannot be had here.
pub async fn told_to_end() -> Result<(), Failure> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
