//! An `auto` trait.

use rpc_runtime::rpc_service;

#[rpc_service]
auto trait Automatic {
    async fn get(&self) -> u8;
}

fn main() {}
