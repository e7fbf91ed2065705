//! The server of RabbitMQ's RPC tutorial: plain clients in any language call it on `rpc_queue`.
//!
//! By default it declares the queue, durable and classic. `--quorum` declares it as today's tutorial does; `--passive`
//! declares nothing and joins a queue that another program declared.

use clap::Parser;
use examples::{Failure, Recursive, TutorialArgs, TutorialServer, interrupted};
use rpc_runtime::{Broker, Queue, Server};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    tutorial: TutorialArgs,

    /// Declare a quorum queue.
    #[arg(long)]
    quorum: bool,

    /// Declare nothing, and take the queue as it is.
    #[arg(long, conflicts_with = "quorum")]
    passive: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let broker = Broker::connect(&args.tutorial.broker.broker).await?;
    let mut queue = Queue::named(&args.tutorial.queue);
    if args.quorum {
        queue = queue.quorum();
    }
    if args.passive {
        queue = queue.passive();
    }
    let server =
        Server::builder(&broker).service_on(queue, TutorialServer::new(Recursive)).start().await?;
    println!(" [x] Awaiting RPC requests");

    interrupted().await;
    server.shutdown().await?;
    Ok(())
}
