//! A client called with wrong arguments.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    async fn get(&self, key: String, limit: u8) -> u8;
}

async fn uses(broker: &Broker) {
    let client = StoreClient::new(broker);
    let _ = client.get("key", 1).await; //~ mismatched types
    let _ = client.get(String::new()).await; //~ takes 2 arguments but 1 argument was supplied
    let _: Result<u16, _> = client.get(String::new(), 1).await; //~ mismatched types
    let _ = client.got(String::new(), 1).await; //~ no method named `got`
}

fn main() {}
