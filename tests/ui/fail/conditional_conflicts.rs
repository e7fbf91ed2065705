//! Methods that conflict only if both exist.

use rpc_runtime::rpc_service;

#[rpc_service]
trait Both {
    #[cfg(all())]
    #[rpc(name = "get", default)]
    async fn first(&self) -> u8;

    #[cfg(not(any()))]
    #[rpc(name = "get", default)]
    async fn second(&self) -> u8;
}

#[rpc_service]
trait Never {
    #[cfg(all())]
    #[rpc(name = "get", default)]
    async fn first(&self) -> u8;

    #[cfg(any())]
    #[rpc(name = "get", default)]
    async fn second(&self) -> u8;
}

fn main() {}
