//! Shared by the examples: the services and the command line.

mod arguments;
mod failure;
mod services;

pub use arguments::{BrokerArgs, MaybeBroker};
pub use failure::Failure;
pub use services::{
    fibonacci::{FibError, Fibonacci, FibonacciClient, FibonacciServer, Sequence},
    plus_hundred::{Adder, PlusHundred, PlusHundredClient, PlusHundredServer},
    tutorial::{Recursive, Tutorial, TutorialClient, TutorialServer},
};

/// Resolves when the user presses Ctrl-C.
pub async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("cannot wait for Ctrl-C ({error}); stopping");
    }
}
