//! An implementation without some methods.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    async fn get(&self, key: String) -> u8;
    async fn put(&self, key: String, value: u8);
    #[rpc(blocking)]
    fn sync(&self);
}

struct Map;

impl Store for Map { //~ `put`, `sync`
    async fn get(&self, _: String) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let _ = StoreClient::new(broker).put(String::new(), 1).await;
    StoreServer::new(Map);
}

fn main() {}
