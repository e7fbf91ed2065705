//! Permissions of callers: `cargo run -p examples --example authorization`.
//!
//! A caller can announce its user, which RabbitMQ checks. Here every user may call `fib`, and only the director may call
//! `count`. The user of this example is not the director.

use examples::{BrokerArgs, Failure, FibonacciClient, FibonacciServer, Sequence};
use lexopt::prelude::*;
use rpc_runtime::{Broker, CallError, Queue, Server, middleware::Authorization};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut queue = "Fibonacci".to_owned();
    let args = BrokerArgs::parse_with("[--queue NAME]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    let broker = Broker::builder(&args.broker).announce_user().connect().await?;
    let rules = Authorization::new()
        .permit_anyone(["Fibonacci.fib", "Fibonacci.slow"])
        .permit("director", ["Fibonacci.*"]);
    let server = Server::builder(&broker)
        .service_on(Queue::named(&queue), FibonacciServer::new(Sequence::default()))
        .layer(rules)
        .start()
        .await?;

    let client = FibonacciClient::builder(&broker).queue(queue).build();
    println!("fib(30) = {}", client.fib(30).explain().await?);
    match client.count().await {
        Err(CallError::Refused(fault)) => println!("count is refused: {fault}"),
        other => return Err(format!("count should have been refused: {other:?}").into()),
    }

    server.shutdown().await?;
    Ok(())
}
