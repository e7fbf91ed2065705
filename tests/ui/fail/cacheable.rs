//! `cacheable` on methods that have effects or no result, and wrong lifetimes.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Prices {
    #[rpc(cacheable)]
    async fn unlimited(&self) -> u64;

    #[rpc(cacheable = 30)]
    async fn without_unit(&self) -> u64;

    #[rpc(cacheable = "0s")]
    async fn not_at_all(&self) -> u64;

    #[rpc(cacheable = "30s", oneway)]
    async fn announce(&self);

    #[rpc(cacheable = "30s", at_most_once)]
    async fn order(&self) -> u64;
}

struct Service;

impl Prices for Service {
    async fn unlimited(&self) -> u64 {
        1
    }

    async fn without_unit(&self) -> u64 {
        1
    }

    async fn not_at_all(&self) -> u64 {
        1
    }

    async fn announce(&self) {}

    async fn order(&self) -> u64 {
        1
    }
}

async fn uses(broker: &Broker) {
    let client = PricesClient::new(broker);
    let _: u64 = client.unlimited().await.unwrap();
    PricesServer::new(Service);
}

fn main() {}
