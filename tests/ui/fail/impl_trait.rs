//! Types that only one side knows.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Opaque {
    async fn argument(&self, name: impl Into<String>) -> u8;
    async fn nested(&self, values: Vec<impl Into<u8>>) -> u8;
    async fn result(&self) -> impl Iterator<Item = u8>;
    async fn own(&self, other: Self) -> Self;
}

struct Service;

impl Opaque for Service {
    async fn argument(&self, _: impl Into<String>) -> u8 {
        1
    }

    async fn nested(&self, _: Vec<impl Into<u8>>) -> u8 {
        1
    }

    async fn result(&self) -> impl Iterator<Item = u8> {
        std::iter::empty()
    }

    async fn own(&self, other: Self) -> Self {
        other
    }
}

async fn uses(broker: &Broker) {
    let client = OpaqueClient::new(broker);
    let _ = client.argument("one").await;
    let _ = client.own(Service).await;
    OpaqueServer::new(Service);
}

fn main() {}
