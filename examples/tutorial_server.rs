//! The server of RabbitMQ's RPC tutorial: plain clients in any language call it on `rpc_queue`.
//!
//! By default it declares the queue, durable and classic. `--quorum` declares it as today's tutorial does, a quorum queue without
//! a delivery limit; `--passive` declares nothing and joins a queue that another program declared.

use examples::{BrokerArgs, Failure, Recursive, TutorialServer, interrupted};
use lexopt::prelude::*;
use rpc_runtime::{Broker, Queue, Server};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (mut queue, mut quorum, mut passive) = ("rpc_queue".to_owned(), false, false);
    let args = BrokerArgs::parse_with("[--queue NAME] [--quorum | --passive]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            Long("quorum") => quorum = true,
            Long("passive") => passive = true,
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    if quorum && passive {
        return Err("--quorum and --passive exclude each other".into());
    }

    let broker = Broker::connect(&args.broker).await?;
    let mut queue = Queue::named(queue);
    if quorum {
        queue = queue.quorum().no_delivery_limit();
    }
    if passive {
        queue = queue.passive();
    }
    let server =
        Server::builder(&broker).service_on(queue, TutorialServer::new(Recursive)).start().await?;
    println!(" [x] Awaiting RPC requests");

    interrupted().await;
    server.shutdown().await?;
    Ok(())
}
