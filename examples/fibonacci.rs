//! A server and a client in one process: `cargo run -p examples --example fibonacci`.
//!
//! By default it uses a broker in memory, so it needs only Rust. With `--broker amqp://localhost` or `AMQP_URL`, the same
//! calls go through RabbitMQ.

use examples::{Failure, FibError, FibonacciClient, FibonacciServer, MaybeBroker, Sequence};
use rpc_runtime::{CallError, Server};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = MaybeBroker::parse()?.connect().await?;
    let server =
        Server::builder(&broker).service(FibonacciServer::new(Sequence::default())).start().await?;
    let client = FibonacciClient::new(&broker);

    for n in [0, 1, 10, 30, 93] {
        println!("fib({n}) = {}", client.fib(n).explain().await?);
    }

    match client.fib(94).await {
        Err(CallError::Application(FibError::TooLarge { n, largest })) => {
            println!("fib({n}) is refused: {largest} is the largest");
        }
        other => return Err(format!("fib(94) should have been refused: {other:?}").into()),
    }

    println!("slow(30) = {}, on a thread that may block", client.slow(30).explain().await?);
    println!("{} numbers were asked for", client.count().explain().await?);

    server.shutdown().await?;
    Ok(())
}
