//! Documentation is missed where the trait is written, and not once more in what is generated.

#![deny(missing_docs)]

use rpc_runtime::rpc_service;

/// A service.
#[rpc_service]
pub trait Store {
    async fn get(&self) -> u8; //~ missing documentation for a method
}

fn main() {}
