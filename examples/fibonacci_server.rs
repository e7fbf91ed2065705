//! Serves the Fibonacci numbers over RabbitMQ until Ctrl-C: `cargo run -p examples --example fibonacci_server`.
//!
//! Start it twice, and both share the load. On Ctrl-C it finishes the requests in progress and leaves the rest to others.

use examples::{BrokerArgs, Failure, FibonacciServer, Sequence, interrupted};
use rpc_runtime::{Broker, Server};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = Broker::connect(&BrokerArgs::parse()?.broker).await?;
    let server =
        Server::builder(&broker).service(FibonacciServer::new(Sequence::default())).start().await?;
    println!("serving Fibonacci; Ctrl-C stops");

    interrupted().await;
    println!("finishing what was begun");
    server.shutdown().await?;
    println!("bye");
    Ok(())
}
