//! Two methods of one name in Rust.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    async fn get(&self) -> u8;
    async fn get(&self) -> u16; //~ the name `get` is defined multiple times
}

async fn uses(broker: &Broker) {
    let _ = StoreClient::new(broker).get().await;
}

fn main() {}
