//! A one-way call has no result and no timeout.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Events {
    #[rpc(oneway)]
    async fn counted(&self) -> u64;

    #[rpc(oneway)]
    async fn checked(&self) -> Result<(), String>;

    #[rpc(oneway, timeout = "5s")]
    async fn limited(&self);
}

struct Service;

impl Events for Service {
    async fn counted(&self) -> u64 {
        1
    }

    async fn checked(&self) -> Result<(), String> {
        Ok(())
    }

    async fn limited(&self) {}
}

async fn uses(broker: &Broker) {
    let client = EventsClient::new(broker);
    let _: u64 = client.counted().await.unwrap();
    let _ = client.checked().await;
    EventsServer::new(Service);
}

fn main() {}
