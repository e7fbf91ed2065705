//! Types that plain text cannot carry.

use rpc_runtime::{Broker, rpc_service};

use std::collections::HashMap;

#[rpc_service(encoding = "text")]
trait Text {
    async fn add(&self, left: u8, right: u8) -> u8;
    async fn list(&self, values: Vec<u8>) -> u8;
    async fn pair(&self, pair: (u8, u8)) -> u8;
    async fn bytes(&self, bytes: [u8; 4]) -> u8;
    async fn found(&self) -> Result<HashMap<String, u8>, Vec<String>>;
    async fn fine(&self, n: u32) -> Result<u64, Vec<String>>;
}

async fn uses(broker: &Broker) {
    let _ = TextClient::new(broker).add(1, 2).await;
}

fn main() {}
