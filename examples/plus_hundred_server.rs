//! A text service on the queue `s14rpc`, for plain clients in any language: `5` in, `105` out.
//!
//! By default it declares the queue, durable and classic; `--passive` joins one that another program declared.

use examples::{Adder, BrokerArgs, Failure, PlusHundredServer, interrupted};
use lexopt::prelude::*;
use rpc_runtime::{Broker, Queue, Server};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (mut queue, mut passive) = ("s14rpc".to_owned(), false);
    let args = BrokerArgs::parse_with("[--queue NAME] [--passive]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            Long("passive") => passive = true,
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;

    let broker = Broker::connect(&args.broker).await?;
    let serving = format!("serving {queue}; Ctrl-C ends");
    let queue = Queue::named(queue);
    let queue = if passive { queue.passive() } else { queue };
    let server =
        Server::builder(&broker).service_on(queue, PlusHundredServer::new(Adder)).start().await?;
    println!("{serving}");

    interrupted().await;
    server.shutdown().await?;
    Ok(())
}
