//! Missing documentation is reported only in the trait, not in generated code.

#![deny(missing_docs)]

use rpc_runtime::rpc_service;

/// A service.
#[rpc_service]
pub trait Store {
    async fn get(&self) -> u8; //~ missing documentation for a method
}

fn main() {}
