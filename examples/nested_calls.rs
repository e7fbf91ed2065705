//! A service that calls another: `cargo run -p examples --example nested_calls`.
//!
//! A call inside a handler inherits the rest of its caller's deadline, even if the trait of the other service sets a longer
//! timeout. So no service works for a caller that has stopped waiting. A handler that wants to reply with an error of its own
//! has to keep some of the time for that.

use std::time::Duration;

use examples::{Failure, MaybeBroker};
use rpc_runtime::{Call, CallError, Context, Server, rpc_service};
use tokio::time::{Instant, sleep};

/// The stock. Its callers may wait for an hour.
#[rpc_service(timeout = "1h")]
pub trait Warehouse {
    /// Reserves an item, which takes so many milliseconds.
    async fn reserve(&self, item: String, takes_ms: u64) -> bool;
}

/// The service for customers.
#[rpc_service]
pub trait Shop {
    /// Buys an item. Waits for the warehouse as long as the customer does.
    async fn buy(&self, item: String, takes_ms: u64) -> Result<String, String>;

    /// Buys an item. Waits for the warehouse half as long as the customer does, and replies with the reason of a failure.
    async fn buy_or_explain(&self, item: String, takes_ms: u64) -> Result<String, String>;
}

/// The time left until the deadline of the running request.
fn left() -> Duration {
    let deadline = Context::current().and_then(|context| context.deadline());
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}

struct Shelves;

impl Warehouse for Shelves {
    async fn reserve(&self, item: String, takes_ms: u64) -> bool {
        println!("  warehouse: {item}, within {} ms", left().as_millis());
        let Some(context) = Context::current() else { return false };
        tokio::select! {
            () = sleep(Duration::from_millis(takes_ms)) => true,
            () = context.cancelled() => {
                println!("  warehouse: nobody waits for {item} any more");
                paperwork().await;
                false
            }
        }
    }
}

/// Work before each reply.
async fn paperwork() {
    sleep(Duration::from_millis(100)).await;
}

struct Counter {
    warehouse: WarehouseClient,
}

impl Shop for Counter {
    async fn buy(&self, item: String, takes_ms: u64) -> Result<String, String> {
        sold(self.warehouse.reserve(item, takes_ms)).await
    }

    async fn buy_or_explain(&self, item: String, takes_ms: u64) -> Result<String, String> {
        sold(self.warehouse.reserve(item, takes_ms).timeout(left() / 2)).await
    }
}

async fn sold(reserved: Call<bool>) -> Result<String, String> {
    let reserved = reserved.await;
    paperwork().await;
    match reserved {
        Ok(true) => Ok("sold".to_owned()),
        Ok(false) => Err("sold out".to_owned()),
        Err(CallError::DeadlineExceeded { .. }) => Err("the warehouse is slow today".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = MaybeBroker::parse()?.connect().await?;
    let counter = Counter { warehouse: WarehouseClient::new(&broker) };
    let server = Server::builder(&broker)
        .service(WarehouseServer::new(Shelves))
        .service(ShopServer::new(counter))
        .start()
        .await?;

    let shop = ShopClient::builder(&broker).timeout(Duration::from_secs(2)).build();
    println!("tea: {}", shop.buy("tea".to_owned(), 10).explain().await?);
    match shop.buy("cake".to_owned(), 60_000).explain().await {
        // The call of the shop times out at the same moment: too late for a reply.
        Err(error) => println!("cake: {error}"),
        Ok(answer) => return Err(format!("cake should have taken too long: {answer}").into()),
    }
    match shop.buy_or_explain("coffee".to_owned(), 60_000).await {
        Err(CallError::Application(why)) => println!("coffee: {why}"),
        other => return Err(format!("the shop should have given the reason: {other:?}").into()),
    }

    server.shutdown().await?;
    Ok(())
}
