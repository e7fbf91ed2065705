//! A deprecated method warns only where it is called.

#![deny(deprecated)]

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
pub trait Store {
    #[deprecated = "use `get`"]
    async fn fetch(&self, key: String) -> u8;

    #[rpc(blocking)]
    #[deprecated]
    fn load(&self);
}

pub struct Map;

impl Store for Map {
    async fn fetch(&self, _: String) -> u8 {
        1
    }

    fn load(&self) {}
}

pub async fn uses(broker: &Broker) {
    let client = StoreClient::new(broker);
    let _ = client.fetch(String::new()).await; //~ use of deprecated method
    let _ = client.load().await; //~ use of deprecated method
    StoreServer::new(Map);
}

fn main() {}
