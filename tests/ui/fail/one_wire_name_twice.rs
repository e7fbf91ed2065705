//! Two methods of one name on the wire.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Names {
    async fn get(&self) -> u8;

    #[rpc(name = "get")]
    async fn fetch(&self) -> u8;

    #[rpc(name = "put")]
    async fn store(&self);

    #[rpc(name = "put")]
    async fn save(&self);
}

struct Service;

impl Names for Service {
    async fn get(&self) -> u8 {
        1
    }

    async fn fetch(&self) -> u8 {
        1
    }

    async fn store(&self) {}

    async fn save(&self) {}
}

async fn uses(broker: &Broker) {
    let _ = NamesClient::new(broker).fetch().await;
    NamesServer::new(Service);
}

fn main() {}
