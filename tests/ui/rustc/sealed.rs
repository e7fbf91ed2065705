//! Servers and descriptors are made by the macro alone, and what runs methods is called by the runtime alone.

use rpc_runtime::{ArgumentDescriptor, Broker, Dispatch, Server, ServiceDescriptor, rpc_service};

#[rpc_service]
trait Clock {
    async fn year(&self) -> u32;
}

struct Stopped;

impl Clock for Stopped {
    async fn year(&self) -> u32 {
        1926
    }
}

struct Own;

impl Dispatch for Own { //~ `Own` is not the server of a service
    fn descriptor(&self) -> &'static ServiceDescriptor {
        loop {}
    }
}

pub fn calls(service: impl Dispatch) {
    service.handlers(()); //~ mismatched types
}

pub fn serves(broker: &Broker) {
    let _ = Server::builder(broker).service(Stopped); //~ `Stopped` is not the server of a service
}

pub fn makes() -> ArgumentDescriptor {
    ArgumentDescriptor { name: "n", ty: "u32" } //~ cannot create non-exhaustive struct
}

fn main() {}
