//! Names that no service and no queue can have.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service(name = "")]
trait Empty {
    async fn get(&self);
}

#[rpc_service(queue = "")]
trait EmptyQueue {
    async fn get(&self);
}

#[rpc_service(queue = "amq.service")]
trait Reserved {
    async fn get(&self);
}

#[rpc_service(name = "amq.rpc", version = 2)]
trait ReservedByName {
    async fn get(&self);
}

#[rpc_service(
    queue = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
)]
trait Long {
    async fn get(&self);
}

fn uses(broker: &Broker) {
    EmptyClient::new(broker);
    LongClient::new(broker);
}

fn main() {}
