//! Methods with the names of the client's constructors.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Factory {
    async fn new(&self) -> u8;
    async fn builder(&self, name: String) -> u8;
}

struct Service;

impl Factory for Service {
    async fn new(&self) -> u8 {
        1
    }

    async fn builder(&self, _: String) -> u8 {
        1
    }
}

fn uses(broker: &Broker) {
    let _ = FactoryClient::new(broker);
    let _ = FactoryClient::builder(broker).build();
    FactoryServer::new(Service);
}

fn main() {}
