//! Options of the trait on a method, and the reverse.

use rpc_runtime::rpc_service;

#[rpc_service(oneway, default, idempotent)]
trait Levels {
    #[rpc(queue = "queue")]
    async fn first(&self);

    #[rpc(encoding = "json", version = 2)]
    async fn second(&self);

    #[rpc(crate = rpc_runtime)]
    async fn third(&self);
}

fn main() {}
