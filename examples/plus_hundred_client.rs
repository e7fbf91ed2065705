//! A caller of the text service on the queue `s14rpc`. The server may be ours or a plain program in any language.

use examples::{BrokerArgs, Failure, PlusHundredClient};
use lexopt::prelude::*;
use rpc_runtime::Broker;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (mut queue, mut n) = ("s14rpc".to_owned(), None);
    let args = BrokerArgs::parse_with("[--queue NAME] [N]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            Value(number) if n.is_none() => n = Some(number.parse()?),
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    let n = n.unwrap_or(5);

    let broker = Broker::connect(&args.broker).await?;
    let client = PlusHundredClient::builder(&broker).queue(queue).build();
    println!("{n} + 100 = {}", client.add(n).explain().await?);
    Ok(())
}
