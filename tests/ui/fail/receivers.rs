//! Every wrong receiver, each with its reason.

use rpc_runtime::{Broker, rpc_service};

use std::{pin::Pin, sync::Arc};

#[rpc_service]
trait Receivers {
    async fn none() -> u8;
    async fn none_with_argument(n: u8) -> u8;
    async fn value(self) -> u8;
    async fn mutable_value(mut self) -> u8;
    async fn mutable(&mut self) -> u8;
    async fn lifetime<'a>(&'a self) -> u8;
    async fn shared(self: Arc<Self>) -> u8;
    async fn pinned(self: Pin<&mut Self>) -> u8;
    async fn right(&self) -> u8;
}

struct Service;

impl Receivers for Service {
    async fn none() -> u8 {
        1
    }

    async fn none_with_argument(n: u8) -> u8 {
        n
    }

    async fn value(self) -> u8 {
        1
    }

    async fn mutable_value(mut self) -> u8 {
        self = Service;
        drop(self);
        1
    }

    async fn mutable(&mut self) -> u8 {
        1
    }

    async fn lifetime<'a>(&'a self) -> u8 {
        1
    }

    async fn shared(self: Arc<Self>) -> u8 {
        1
    }

    async fn pinned(self: Pin<&mut Self>) -> u8 {
        1
    }

    async fn right(&self) -> u8 {
        1
    }
}

async fn uses(broker: &Broker) {
    let client = ReceiversClient::new(broker);
    let _ = client.none_with_argument(1).await;
    let _ = client.mutable().await;
    ReceiversServer::new(Service);
}

fn main() {}
