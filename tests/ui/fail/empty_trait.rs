//! A service without methods.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Empty {}

struct Service;

impl Empty for Service {}

fn uses(broker: &Broker) {
    let _client = EmptyClient::new(broker);
    let _server = EmptyServer::new(Service);
}

fn main() {}
