//! The runtime under another name.

mod vendored {
    pub(crate) use rpc_runtime as framework;
}

use vendored::framework::{Dispatch, rpc_service};

#[rpc_service(crate = crate::vendored::framework)]
trait ByPath {
    async fn get(&self) -> Result<u8, String>;
}

#[rpc_service(crate = "crate::vendored::framework")]
trait ByString {
    async fn get(&self) -> u8;
}

extern crate rpc_runtime as another;

#[rpc_service(crate = another)]
trait ByCrate {
    async fn get(&self) -> u8;
}

struct Service;

impl ByPath for Service {
    async fn get(&self) -> Result<u8, String> {
        Ok(1)
    }
}

fn main() {
    assert_eq!(ByPathServer::new(Service).descriptor().name, "ByPath");
}
