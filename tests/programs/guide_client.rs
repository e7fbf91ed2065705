//! The client of docs/getting-started.md, with the broker from `AMQP_URL`.

use numbers::NumbersClient;
use rpc_runtime::{Broker, CallError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = Broker::connect(&std::env::var("AMQP_URL")?).await?;
    let numbers = NumbersClient::new(&broker);

    println!("the sum is {}", numbers.sum(vec![1, 2, 3]).explain().await?);
    for n in [144, 150] {
        match numbers.root(n).explain().await {
            Ok(root) => println!("the root of {n} is {root}"),
            Err(failure) => match failure.error() {
                CallError::Application(no_root) => println!("{n} is {no_root}"),
                _ => return Err(failure.into()),
            },
        }
    }
    Ok(())
}
