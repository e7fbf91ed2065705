//! The runtime has another name in `Cargo.toml`.

#![deny(warnings)]

use framework::{Broker, rpc_service};

#[rpc_service(crate = framework)]
trait Renamed {
    async fn get(&self, n: u8) -> Result<u8, String>;
}

struct Service;

impl Renamed for Service {
    async fn get(&self, n: u8) -> Result<u8, String> {
        Ok(n)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = RenamedClient::new(&Broker::serving(RenamedServer::new(Service)));
    assert!(client.get(1).await.is_ok());
}
