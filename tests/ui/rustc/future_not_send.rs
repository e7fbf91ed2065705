//! A body whose future is not `Send`.

use rpc_runtime::rpc_service;
use std::rc::Rc;

#[rpc_service]
trait Counter {
    async fn count(&self) -> usize;
}

struct Service;

impl Counter for Service {
    async fn count(&self) -> usize { //~ future cannot be sent between threads safely
        let here = Rc::new(1);
        std::future::ready(()).await;
        *here
    }
}

fn main() {}
