//! A service that is not `Sync`.

use rpc_runtime::rpc_service;
use std::cell::Cell;

#[rpc_service]
trait Counter {
    #[rpc(blocking)]
    fn count(&self) -> u32;
}

struct Service {
    count: Cell<u32>,
}

impl Counter for Service { //~ `Cell<u32>` cannot be shared between threads safely
    fn count(&self) -> u32 {
        self.count.replace(1)
    }
}

fn main() {}
