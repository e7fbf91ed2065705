//! Placeholders in types that cannot be inferred.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    async fn put(&self, values: Vec<_>); //~ the placeholder `_` is not allowed
    async fn get(&self) -> Result<u8, _>; //~ the placeholder `_` is not allowed
}

async fn uses(broker: &Broker) {
    let _ = StoreClient::new(broker).put(vec![1]).await;
}

fn main() {}
