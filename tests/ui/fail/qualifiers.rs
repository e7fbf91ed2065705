//! Qualifiers that a function may have and a method of a service may not.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Qualified {
    const fn constant(&self);
    async unsafe fn dangerous(&self);
    async extern "C" fn foreign(&self);
    #[rpc(blocking)]
    unsafe extern "C" fn variadic(&self, n: u8, rest: ...);
}

async fn uses(broker: &Broker) {
    let _ = QualifiedClient::new(broker).dangerous().await;
}

fn main() {}
