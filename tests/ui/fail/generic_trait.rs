//! Parameters and conditions on the trait.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
trait Store<'a, T, const N: usize>
where
    T: Clone,
{
    async fn get(&self, key: String) -> T;
    async fn put(&self, item: T, rest: [u8; N]);
}

struct Map;

impl Store<'_, u8, 2> for Map {
    async fn get(&self, _: String) -> u8 {
        1
    }

    async fn put(&self, _: u8, _: [u8; 2]) {}
}

async fn uses(broker: &Broker) {
    let client = StoreClient::new(broker);
    let _ = client.put::<u8, 2>(1, [1, 2]).await;
    StoreServer::new(Map);
}

fn main() {}
