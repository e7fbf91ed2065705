//! A method with a cached result: `cargo run -p examples-of-features --example cached`.
//!
//! The trait sets how long a result may be reused, and the broker of the client has a cache. The method runs once for
//! each city, even if it is called more often.

use std::sync::atomic::{AtomicU32, Ordering};

use examples::{Failure, MaybeBroker};
use rpc_runtime::{Server, middleware::Cache, rpc_service};

/// The weather.
#[rpc_service]
pub trait Weather {
    /// The temperature in degrees.
    #[rpc(cacheable = "10m")]
    async fn forecast(&self, city: String) -> u32;

    /// The number of forecasts so far.
    async fn made(&self) -> u32;
}

#[derive(Default)]
struct Guessing {
    made: AtomicU32,
}

impl Weather for Guessing {
    async fn forecast(&self, city: String) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed);
        city.bytes().map(u32::from).sum::<u32>() % 35
    }

    async fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = MaybeBroker::parse()?.connect().await?;
    let server =
        Server::builder(&broker).service(WeatherServer::new(Guessing::default())).start().await?;

    // The cache holds at most a megabyte, for all clients made from this broker.
    let client = WeatherClient::new(&broker.layer(Cache::new(1_000_000)));
    for city in ["Oslo", "Rome", "Oslo", "Rome", "Oslo"] {
        println!("{city}: {} degrees", client.forecast(city.to_owned()).explain().await?);
    }
    println!("{} forecasts were made", client.made().explain().await?);

    server.shutdown().await?;
    Ok(())
}
