//! Who may call what: `cargo run --example authorization`.
//!
//! RabbitMQ vouches for the user of a caller that announces it. Everybody may ask for numbers here; how many were asked for
//! is for the director alone, who is not the user of this example.

use clap::Parser;
use examples::{BrokerArgs, Failure, FibonacciClient, FibonacciServer, Sequence};
use rpc_runtime::{Broker, CallError, Queue, Server, middleware::Authorization};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    broker: BrokerArgs,

    /// The queue that requests go through.
    #[arg(long, default_value = "Fibonacci")]
    queue: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Args { broker, queue } = Args::parse();
    let broker = Broker::builder(&broker.broker).announce_user().connect().await?;
    let rules = Authorization::new()
        .permit_anyone(["Fibonacci.fib", "Fibonacci.slow"])
        .permit("director", ["Fibonacci.*"]);
    let server = Server::builder(&broker)
        .service_on(Queue::named(&queue), FibonacciServer::new(Sequence::default()))
        .layer(rules)
        .start()
        .await?;

    let client = FibonacciClient::builder(&broker).queue(queue).build();
    println!("fib(30) = {}", client.fib(30).await?);
    match client.count().await {
        Err(CallError::Refused(fault)) => println!("count is refused: {fault}"),
        other => return Err(format!("count should have been refused: {other:?}").into()),
    }

    server.shutdown().await?;
    Ok(())
}
