//! What the examples share: the services, and where the broker is.

mod failure;
#[cfg(doctest)]
mod guide;
mod services;

use clap::Parser;
use rpc_runtime::{Broker, BrokerError};

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

/// Where RabbitMQ is, if it is to be used.
#[derive(Debug, Parser)]
pub struct MaybeBroker {
    /// The address of RabbitMQ; a broker in memory if it is left out.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    broker: Option<String>,
}

impl MaybeBroker {
    /// Connects, or makes a broker in memory.
    ///
    /// # Errors
    ///
    /// There is no RabbitMQ at the address, or it refuses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect(self) -> Result<Broker, BrokerError> {
        // A variable that is set to nothing is as good as none.
        match self.broker.filter(|address| !address.is_empty()) {
            Some(address) => Broker::connect(&address).await,
            None => Ok(Broker::in_memory()),
        }
    }
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
