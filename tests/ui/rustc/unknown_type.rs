//! A type that does not exist.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Store {
    async fn get(&self, key: Key) -> u8; //~ cannot find type `Key` in this scope
    async fn put(&self) -> Result<u8, Failure>; //~ cannot find type `Failure` in this scope
}

fn main() {}
