//! An `unsafe` trait.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
unsafe trait Careful {
    async fn get(&self) -> u8;
}

struct Service;

unsafe impl Careful for Service {
    async fn get(&self) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let _ = CarefulClient::new(broker).get().await;
    CarefulServer::new(Service);
}

fn main() {}
