//! Arguments under `#[cfg]`.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Conditional {
    async fn get(&self, key: String, #[cfg(all())] limit: u8) -> u8;

    #[cfg_attr(all(), rpc(oneway))]
    async fn put(&self, key: String);
}

async fn uses(broker: &Broker) {
    let _ = ConditionalClient::new(broker).put(String::new()).await;
}

fn main() {}
