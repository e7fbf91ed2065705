//! Two rewritings of one trait.

use rpc_runtime::rpc_service;

use keep as async_trait;

#[rpc_service]
#[async_trait]
trait Twice {
    async fn get(&self) -> u8;
}

use rpc_service as keep;

fn main() {}
