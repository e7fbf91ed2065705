//! An option that is given twice.

use rpc_runtime::rpc_service;

#[rpc_service(name = "one", timeout = "1s", name = "two")]
trait Options {
    #[rpc(oneway, oneway)]
    async fn first(&self);

    #[rpc(name = "second")]
    #[rpc(name = "third")]
    async fn second(&self);
}

fn main() {}
