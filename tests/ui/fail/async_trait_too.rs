//! `#[async_trait]` on a service trait.

use rpc_runtime::rpc_service;

#[rpc_service]
#[async_trait]
trait Twice {
    async fn get(&self) -> u8;
}

fn main() {}
