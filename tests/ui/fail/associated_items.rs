//! Constants, types and macros among the methods.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    const LIMIT: u32;

    type Item;

    async fn get(&self, key: String) -> Self::Item;

    async fn put(&self, item: Self::Item);

    methods!();
}

macro_rules! methods {
    () => {};
}
use methods;

struct Map;

impl Store for Map {
    const LIMIT: u32 = 1;

    type Item = u8;

    async fn get(&self, _: String) -> u8 {
        1
    }

    async fn put(&self, _: u8) {}
}

async fn uses(broker: &Broker) {
    let client = StoreClient::new(broker);
    let _ = client.get(String::new()).await;
    let _ = client.put(1).await;
    StoreServer::new(Map);
}

fn main() {}
