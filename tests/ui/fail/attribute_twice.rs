//! `#[rpc_service]` twice on a trait.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
#[rpc_service(name = "again")]
trait Twice {
    async fn get(&self) -> u8;
}

#[rpc_service]
#[rpc(oneway)]
trait Misplaced {
    #[rpc_service]
    async fn get(&self) -> u8;
}

struct Service;

impl Twice for Service {
    async fn get(&self) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let _ = TwiceClient::new(broker).get().await;
    TwiceServer::new(Service);
}

fn main() {}
