//! The attribute on anything but a trait.

use rpc_runtime::rpc_service;

#[rpc_service]
struct Structure {
    field: u8,
}

#[rpc_service]
pub enum Enumeration {
    Variant,
}

#[rpc_service(name = "implementation")]
impl Structure {
    async fn get(&self) -> u8 {
        self.field
    }
}

#[rpc_service]
async fn function(n: u32) -> u32 {
    n
}

#[rpc_service]
const fn constant_function() {}

#[rpc_service]
mod module {}

#[rpc_service]
type Alias = u8;

fn main() {}
