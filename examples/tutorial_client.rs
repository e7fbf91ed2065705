//! The client of RabbitMQ's RPC tutorial: it calls a plain server in any language on `rpc_queue`.

use examples::{BrokerArgs, Failure, TutorialClient};
use lexopt::prelude::*;
use rpc_runtime::Broker;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (mut queue, mut n) = ("rpc_queue".to_owned(), None);
    let args = BrokerArgs::parse_with("[--queue NAME] [N]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            Value(number) if n.is_none() => n = Some(number.parse()?),
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    let n = n.unwrap_or(30);

    let broker = Broker::connect(&args.broker).await?;
    let client = TutorialClient::builder(&broker).queue(queue).build();
    println!(" [x] Requesting fib({n})");
    println!(" [.] Got {}", client.fib(n).explain().await?);
    Ok(())
}
