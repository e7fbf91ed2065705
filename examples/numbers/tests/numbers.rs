//! The test of docs/getting-started.md.

use numbers::{NoRoot, Numbers, NumbersClient, NumbersServer};
use rpc_runtime::Broker;

struct AlwaysSeven;

impl Numbers for AlwaysSeven {
    async fn root(&self, _: u64) -> Result<u64, NoRoot> {
        Ok(7)
    }

    async fn sum(&self, _: Vec<u64>) -> u64 {
        7
    }
}

#[tokio::test]
async fn the_sum_comes_from_the_server() {
    let broker = Broker::serving(NumbersServer::new(AlwaysSeven));
    assert_eq!(NumbersClient::new(&broker).sum(vec![1, 2]).await.unwrap(), 7);
}
