//! Texts that are no timeouts, each with the reason.

use rpc_runtime::rpc_service;

#[rpc_service(timeout = "")]
trait Timeouts {
    #[rpc(timeout = "5")]
    async fn no_unit(&self);

    #[rpc(timeout = "soon")]
    async fn no_number(&self);

    #[rpc(timeout = "5 s")]
    async fn space(&self);

    #[rpc(timeout = "5sec")]
    async fn unit(&self);

    #[rpc(timeout = "30s1m")]
    async fn order(&self);

    #[rpc(timeout = "0ms")]
    async fn zero(&self);

    #[rpc(timeout = "50d")]
    async fn long(&self);

    #[rpc(timeout = "-1s")]
    async fn negative(&self);
}

fn main() {}
