//! A user's program in which everything is documented.

#![deny(missing_docs, warnings)]

use rpc_runtime::{Broker, CallError, Server, rpc_service};
use serde::{Deserialize, Serialize};

/// Keeps the stock of a shop.
#[rpc_service(version = 2, timeout = "5s")]
pub trait Stock {
    /// Takes so many of an article.
    #[rpc(at_most_once)]
    async fn take(&self, article: String, count: u32) -> Result<Left, OutOfStock>;

    /// Counts everything; it takes its time.
    #[rpc(blocking, idempotent)]
    fn count(&self) -> u64;

    /// Records a view of an article.
    #[rpc(oneway)]
    async fn looked_at(&self, article: String);
}

/// How many are left.
#[derive(Debug, Serialize, Deserialize)]
pub struct Left(pub u32);

/// There are not so many.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutOfStock;

struct Shelf;

impl Stock for Shelf {
    async fn take(&self, _: String, count: u32) -> Result<Left, OutOfStock> {
        10u32.checked_sub(count).map(Left).ok_or(OutOfStock)
    }

    fn count(&self) -> u64 {
        10
    }

    async fn looked_at(&self, _: String) {}
}

/// What a program does with it.
#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = Broker::in_memory();
    let server = Server::builder(&broker).service(StockServer::new(Shelf)).start().await?;
    let client = StockClient::new(&broker);
    match client.take("pen".to_owned(), 11).await {
        Err(CallError::Application(OutOfStock)) => println!("sold out"),
        other => println!("{other:?}"),
    }
    let (count, ()) = tokio::try_join!(client.count(), client.looked_at("pen".to_owned()))?;
    println!("{count}");
    server.shutdown().await?;
    Ok(())
}
