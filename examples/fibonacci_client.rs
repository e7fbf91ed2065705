//! Asks a server for Fibonacci numbers over RabbitMQ: `cargo run -p examples --example fibonacci_client -- 30`.

use std::time::Duration;

use examples::{BrokerArgs, Failure, FibonacciClient};
use lexopt::prelude::*;
use rpc_runtime::{Broker, CallError};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut numbers = Vec::new();
    let args = BrokerArgs::parse_with("[N...]", |arg, _| {
        match arg {
            Value(n) => numbers.push(n.parse()?),
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    if numbers.is_empty() {
        numbers = vec![10, 20, 30];
    }

    let broker = Broker::connect(&args.broker).await?;
    let client = FibonacciClient::builder(&broker).timeout(Duration::from_secs(5)).build();

    for n in numbers {
        // The error of an explained call names the method, the queue, the broker and the elapsed time.
        match client.fib(n).explain().await {
            Ok(number) => println!("fib({n}) = {number}"),
            Err(failure) => match failure.error() {
                CallError::Application(refusal) => println!("fib({n}): {refusal}"),
                _ => return Err(failure.into()),
            },
        }
    }
    Ok(())
}
