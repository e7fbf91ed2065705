//! Supertraits that callers could not use.

use rpc_runtime::{Broker, rpc_service};

trait Base {}

#[rpc_service]
trait Derived: Base + Send + Sync + 'static + std::fmt::Debug + Clone {
    async fn get(&self) -> u8;
}

#[derive(Debug, Clone)]
struct Service;

impl Base for Service {}

impl Derived for Service {
    async fn get(&self) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let _ = DerivedClient::new(broker).get().await;
    DerivedServer::new(Service);
}

fn main() {}
