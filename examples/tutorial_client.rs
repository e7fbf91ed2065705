//! The client of RabbitMQ's RPC tutorial: it calls a plain server in any language on `rpc_queue`.

use clap::Parser;
use examples::{Failure, TutorialArgs, TutorialClient};
use rpc_runtime::Broker;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    tutorial: TutorialArgs,

    /// Which number.
    #[arg(default_value_t = 30)]
    n: u32,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Args { tutorial, n } = Args::parse();
    let broker = Broker::connect(&tutorial.broker.broker).await?;
    let client = TutorialClient::builder(&broker).queue(tutorial.queue).build();
    println!(" [x] Requesting fib({n})");
    println!(" [.] Got {}", client.fib(n).await?);
    Ok(())
}
