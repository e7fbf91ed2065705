//! Two services in one process, one server and one connection: `cargo run -p examples --example two_services`.
//!
//! Each service has its own queue and requests, so a slow service does not delay the other. They may share data. Callers do
//! not see that, so the services can move to two processes later.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use examples::{Failure, MaybeBroker};
use rpc_runtime::{Server, discovery::Discovery, rpc_service};

/// The items and their prices.
#[rpc_service]
pub trait Catalog {
    /// The price of an item; `None` if it is not sold.
    async fn price(&self, item: String) -> Option<u32>;
}

/// The orders.
#[rpc_service]
pub trait Orders {
    /// Orders an item, and returns how many of it were ordered so far.
    async fn place(&self, item: String) -> Result<u32, String>;
}

/// The data of both services.
#[derive(Default)]
struct Shop {
    prices: BTreeMap<String, u32>,
    ordered: Mutex<BTreeMap<String, u32>>,
}

impl Catalog for Shop {
    async fn price(&self, item: String) -> Option<u32> {
        self.prices.get(&item).copied()
    }
}

impl Orders for Shop {
    async fn place(&self, item: String) -> Result<u32, String> {
        if !self.prices.contains_key(&item) {
            return Err(format!("{item} is not sold here"));
        }
        let mut ordered = self.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        let so_far = ordered.entry(item).or_default();
        *so_far += 1;
        Ok(*so_far)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = MaybeBroker::parse()?.connect().await?;
    let prices = [("tea", 3), ("cake", 5)].map(|(item, price)| (item.to_owned(), price));
    let shop = Arc::new(Shop { prices: prices.into(), ..Shop::default() });
    let server = Server::builder(&broker)
        .service(CatalogServer::new(shop.clone()))
        .service(OrdersServer::new(shop))
        .start()
        .await?;

    let (catalog, orders) = (CatalogClient::new(&broker), OrdersClient::new(&broker));
    println!("tea costs {:?}", catalog.price("tea".to_owned()).explain().await?);
    let (tea, cake) = (orders.place("tea".to_owned()), orders.place("cake".to_owned()));
    let both = tokio::try_join!(tea.explain(), cake.explain())?;
    println!("ordered so far: {both:?}");
    if let Err(error) = orders.place("coffee".to_owned()).await {
        println!("refused: {error}");
    }

    let this_server = Discovery::new(&broker).instance(server.instance());
    for answer in this_server.ping().await? {
        println!("one server serves {}", answer.services.join(" and "));
    }

    server.shutdown().await?;
    Ok(())
}
