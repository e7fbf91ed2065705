//! Neither `async` nor `blocking`, or both.

use rpc_runtime::{Broker, rpc_service};

use std::future::Future;

#[rpc_service]
trait Plain {
    fn get(&self, n: u8) -> u8;

    fn future(&self) -> impl Future<Output = Result<u8, String>> + Send;

    #[rpc(blocking)]
    async fn both(&self);
}

struct Service;

impl Plain for Service {
    fn get(&self, n: u8) -> u8 {
        n
    }

    async fn future(&self) -> Result<u8, String> {
        Ok(1)
    }

    async fn both(&self) {}
}

async fn uses(broker: &Broker) {
    let client = PlainClient::new(broker);
    let _ = client.get(1).await;
    let _ = client.both().await;
    PlainServer::new(Service);
}

fn main() {}
