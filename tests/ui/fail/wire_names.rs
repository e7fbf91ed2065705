//! Illegal names on the wire.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Names {
    async fn größe(&self) -> u8;

    #[rpc(name = "")]
    async fn empty(&self);

    #[rpc(name = "two words")]
    async fn spaced(&self);

    #[rpc(name = "a.b")]
    async fn dotted(&self);

    async fn a_name_that_goes_on_and_on_and_never_seems_to_come_to_its_final_letter(&self);
}

struct Service;

impl Names for Service {
    async fn größe(&self) -> u8 {
        1
    }

    async fn empty(&self) {}

    async fn spaced(&self) {}

    async fn dotted(&self) {}

    async fn a_name_that_goes_on_and_on_and_never_seems_to_come_to_its_final_letter(&self) {}
}

async fn uses(broker: &Broker) {
    let _ = NamesClient::new(broker).größe().await;
    NamesServer::new(Service);
}

fn main() {}
