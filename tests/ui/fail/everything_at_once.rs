//! Every fault of a trait is reported in one compilation, and none twice.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service(timeout = "5 minutes", nam = "shop")]
unsafe trait Shop: Clone {
    const CURRENCY: char;

    async fn price(&mut self, article: &str) -> Result<u64, String>;

    fn stock(&self, article: String) -> u32;

    #[rpc(oneway, colour = "red")]
    async fn order(&self, (article, count): (String, u32)) -> u64;

    #[rpc(name = "price")]
    async fn cost<T>(&self, article: T) -> u64;

    async fn new(&self);
}

#[derive(Clone)]
struct Corner;

unsafe impl Shop for Corner {
    const CURRENCY: char = 'c';

    async fn price(&mut self, _: &str) -> Result<u64, String> {
        Ok(1)
    }

    fn stock(&self, _: String) -> u32 {
        1
    }

    async fn order(&self, (_, count): (String, u32)) -> u64 {
        u64::from(count)
    }

    async fn cost<T>(&self, _: T) -> u64 {
        1
    }

    async fn new(&self) {}
}

async fn uses(broker: &Broker) {
    let client = ShopClient::new(broker);
    let _: u64 = client.price("bread").await.unwrap();
    let _: u32 = client.stock(String::new()).await.unwrap();
    let _ = client.order((String::new(), 1)).await;
    let _ = client.cost(1).await;
    let server = ShopServer::new(Corner);
    let _: &dyn rpc_runtime::Dispatch = &server;
}

fn main() {}
