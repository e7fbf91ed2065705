//! Values of the wrong kind.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service(name = service, queue = 5, version = "2", timeout = 5, encoding = json, crate = 7)]
trait Wrong {
    #[rpc(name = b"bytes", timeout)]
    async fn first(&self);

    #[rpc(idempotent = true)]
    async fn second(&self);

    #[rpc(blocking = false)]
    async fn third(&self);

    #[rpc(timeout("5s"))]
    async fn fourth(&self);

    #[rpc(name: "fifth", timeout =)]
    async fn fifth(&self);

    #[rpc(name = concat!("six", "th"))]
    async fn sixth(&self);
}

#[rpc_service(version = 4294967296, encoding = "jsno")]
trait Range {
    async fn get(&self);
}

#[rpc_service(version = -1, encoding = "protobuf")]
trait Negative {
    async fn get(&self);
}

#[rpc_service(version = 2u8)]
trait Suffix {
    async fn get(&self);
}

fn uses(broker: &Broker) {
    WrongClient::new(broker);
    RangeClient::new(broker);
}

fn main() {}
