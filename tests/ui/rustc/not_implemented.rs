//! A server for a type that does not implement the trait.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Store {
    async fn get(&self, key: String) -> u8;
}

struct Map;

fn uses() {
    StoreServer::new(Map); //~ `Map: Store` is not satisfied
}

fn main() {}
