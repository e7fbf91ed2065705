//! An implementation with other signatures than the trait.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Store {
    async fn get(&self, key: String) -> u8;
    async fn put(&self, key: String);
}

struct Map;

impl Store for Map {
    async fn get(&self, _: u8) -> u8 { //~ incompatible type
        1
    }

    async fn put(&self, _: String) -> u8 { //~ expected
        1
    }
}

fn main() {}
