//! Generated items are exactly as visible as the trait.

#![deny(unreachable_pub, private_interfaces, private_bounds, dead_code)]

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Private {
    async fn get(&self) -> u8;
}

#[rpc_service]
pub(crate) trait Internal {
    async fn get(&self) -> u8;
}

mod inner {
    use rpc_runtime::rpc_service;

    #[rpc_service]
    pub(super) trait Parents {
        async fn get(&self) -> u8;
    }

    #[rpc_service]
    pub(in crate::inner) trait Local {
        async fn get(&self) -> u8;
    }

    mod child {
        pub(in crate::inner) fn call(client: &super::LocalClient) {
            drop(client.get());
        }
    }

    pub(super) fn call(broker: &rpc_runtime::Broker) {
        child::call(&LocalClient::new(broker));
    }
}

fn calls(broker: &Broker) {
    drop(PrivateClient::new(broker).get());
    drop(InternalClient::new(broker).get());
    drop(inner::ParentsClient::new(broker).get());
    inner::call(broker);
}

fn main() {
    let _ = calls;
}
