//! Parameters and conditions on methods.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Generic {
    async fn typed<T: Clone>(&self, value: T) -> T;
    async fn sized<const N: usize>(&self, value: [u8; N]);
    async fn borrowed<'a>(&self, value: &'a str) -> &'a str;
    async fn conditional(&self) -> u8
    where
        Self: Sized;
}

struct Service;

impl Generic for Service {
    async fn typed<T: Clone>(&self, value: T) -> T {
        value
    }

    async fn sized<const N: usize>(&self, _: [u8; N]) {}

    async fn borrowed<'a>(&self, value: &'a str) -> &'a str {
        value
    }

    async fn conditional(&self) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let client = GenericClient::new(broker);
    let _ = client.typed(1).await;
    let _ = client.borrowed("one").await;
    GenericServer::new(Service);
}

fn main() {}
