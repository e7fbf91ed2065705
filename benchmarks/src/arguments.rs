//! The command line of a measured program.

use clap::{Args, Subcommand, ValueEnum};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

/// A server, or a client of it.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Serves until SIGTERM.
    Server(ServerArguments),
    /// Calls, and prints how long it took.
    Client(ClientArguments),
}

/// Arguments of both ends.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The address of RabbitMQ.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub url: String,

    /// The queue of requests.
    #[arg(long)]
    pub queue: String,
}

/// Arguments of a server.
#[derive(Debug, Clone, Args)]
pub struct ServerArguments {
    /// Arguments of both ends.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of a client.
#[derive(Debug, Clone, Args)]
pub struct ClientArguments {
    /// Arguments of both ends.
    #[command(flatten)]
    pub common: Common,

    /// Which calls to make.
    #[command(flatten)]
    pub load: Load,

    /// Switches confirms off, if the program can.
    #[arg(long)]
    pub no_confirms: bool,
}

/// Which calls to make.
#[derive(Debug, Clone, Copy, Args)]
pub struct Load {
    /// How many calls to keep in flight.
    #[arg(long)]
    pub window: usize,

    /// How many calls to measure.
    #[arg(long)]
    pub total: usize,

    /// The bytes of an argument and of its result. 8 means a number and its successor; other sizes are echoed.
    #[arg(long, default_value_t = NUMBER)]
    pub payload: usize,
}

/// The size of the payload that is a number.
pub const NUMBER: usize = 8;

/// The kind of tokio runtime. The default is that of `#[tokio::main]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// A worker thread for each core.
    #[default]
    MultiThread,
    /// One thread for everything.
    CurrentThread,
}

impl Flavour {
    /// The name on the command line.
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
    /// If threads cannot be created.
    pub fn runtime(self) -> Result<Runtime, Failure> {
        let mut builder = match self {
            Self::MultiThread => Builder::new_multi_thread(),
            Self::CurrentThread => Builder::new_current_thread(),
        };
        Ok(builder.enable_all().build()?)
    }
}

/// Prints that the server accepts requests, for the driver.
pub fn serving() {
    println!("serving");
}

/// Resolves on SIGTERM.
///
/// # Errors
///
/// If the signal handler cannot be installed.
pub async fn terminated() -> Result<(), Failure> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
