//! What the examples share: the services, and where the broker is.

mod failure;
mod services;

use clap::Parser;

pub use failure::Failure;
pub use services::{
    fibonacci::{FibError, Fibonacci, FibonacciClient, FibonacciServer, Sequence},
    tutorial::{Recursive, Tutorial, TutorialClient, TutorialServer},
};

/// Where RabbitMQ is, as a command-line argument.
#[derive(Debug, Parser)]
pub struct BrokerArgs {
    /// The address of RabbitMQ.
    #[arg(
        long,
        env = "AMQP_URL",
        hide_env_values = true,
        default_value = "amqp://guest:guest@localhost:5672/%2f"
    )]
    pub broker: String,
}

/// Where the queue of the tutorial is, as command-line arguments.
#[derive(Debug, Parser)]
pub struct TutorialArgs {
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// The queue that requests go through.
    #[arg(long, default_value = "rpc_queue")]
    pub queue: String,
}

/// Resolves when the user presses Ctrl-C.
pub async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("cannot wait for Ctrl-C ({error}); stopping");
    }
}
