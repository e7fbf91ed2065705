//! Two services in one module, with methods of the same names, implemented by one type.

use rpc_runtime::{Dispatch, rpc_service};

#[rpc_service]
trait Left {
    async fn get(&self) -> u8;
}

#[rpc_service(name = "right", version = 2)]
trait Right {
    async fn get(&self) -> u16;
}

struct Both;

impl Left for Both {
    async fn get(&self) -> u8 {
        1
    }
}

impl Right for Both {
    async fn get(&self) -> u16 {
        2
    }
}

fn main() {
    let shared = std::sync::Arc::new(Both);
    assert_eq!(LeftServer::new(shared.clone()).descriptor().queue, "Left");
    assert_eq!(RightServer::new(shared).descriptor().queue, "right.v2");
}
