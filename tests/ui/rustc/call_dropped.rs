//! The compiler warns about a call that is neither awaited nor sent.

#![deny(unused_must_use)]

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store {
    async fn get(&self, key: String) -> u8;
    #[rpc(oneway)]
    async fn put(&self, key: String);
}

async fn uses(broker: &Broker) {
    let client = StoreClient::new(broker);
    client.get(String::new()); //~ unused `Call` that must be used
    client.put(String::new()); //~ unused `Call` that must be used
}

fn main() {}
