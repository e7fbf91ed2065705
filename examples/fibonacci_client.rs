//! Asks a server for Fibonacci numbers over RabbitMQ: `cargo run --example fibonacci_client -- 30`.

use std::time::Duration;

use clap::Parser;
use examples::{BrokerArgs, Failure, FibonacciClient};
use rpc_runtime::{Broker, CallError};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    broker: BrokerArgs,

    /// Which numbers.
    #[arg(default_values_t = [10, 20, 30])]
    n: Vec<u32>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let broker = Broker::connect(&args.broker.broker).await?;
    let client = FibonacciClient::builder(&broker).timeout(Duration::from_secs(5)).build();

    for n in args.n {
        match client.fib(n).await {
            Ok(number) => println!("fib({n}) = {number}"),
            Err(CallError::Application(refusal)) => println!("fib({n}): {refusal}"),
            Err(CallError::NoServer) => {
                return Err("no server: start `cargo run --example fibonacci_server` first".into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
