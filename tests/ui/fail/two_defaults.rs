//! Two default methods.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Defaults {
    #[rpc(default)]
    async fn first(&self);

    #[rpc(default)]
    async fn second(&self);

    #[rpc(default)]
    async fn third(&self);
}

fn main() {}
