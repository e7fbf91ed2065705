//! `idempotent` and `at_most_once` together.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Conflict {
    #[rpc(idempotent, at_most_once)]
    async fn pay(&self);

    #[rpc(at_most_once)]
    #[rpc(idempotent)]
    async fn refund(&self);
}

fn main() {}
