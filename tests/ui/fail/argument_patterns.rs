//! Arguments without a name.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Patterns {
    async fn tuple(&self, (left, right): (u8, u8)) -> u8;
    async fn wild(&self, _: u8) -> u8;
    async fn mutable(&self, mut n: u8) -> u8;
    async fn by_reference(&self, ref n: u8) -> u8;
    async fn bound(&self, n @ 1..=2: u8) -> u8;
    async fn several(&self, _: Vec<u8>, [a, b]: [u8; 2], fine: u8) -> u8;
}

struct Service;

impl Patterns for Service {
    async fn tuple(&self, (left, right): (u8, u8)) -> u8 {
        left + right
    }

    async fn wild(&self, _: u8) -> u8 {
        1
    }

    async fn mutable(&self, mut n: u8) -> u8 {
        n += 1;
        n
    }

    async fn by_reference(&self, n: u8) -> u8 {
        n
    }

    async fn bound(&self, n: u8) -> u8 {
        n
    }

    async fn several(&self, _: Vec<u8>, [a, b]: [u8; 2], fine: u8) -> u8 {
        a + b + fine
    }
}

async fn uses(broker: &Broker) {
    let client = PatternsClient::new(broker);
    let _ = client.tuple((1, 2)).await;
    let _ = client.several(Vec::new(), [1, 2], 3).await;
    PatternsServer::new(Service);
}

fn main() {}
