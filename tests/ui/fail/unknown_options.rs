//! Unknown options, with suggestions.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service(nam = "service", retries = 3, encodign = "json", 5, on_way)]
trait Options {
    #[rpc(one_way)]
    async fn first(&self);

    #[rpc(time_out = "5s", at-most-once)]
    async fn second(&self);

    #[rpc(retry, colour = "blue", "fib")]
    async fn third(&self);

    #[rpc]
    async fn fourth(&self);

    #[rpc()]
    async fn fifth(&self);

    #[rpc = "sixth"]
    async fn sixth(&self);
}

struct Service;

impl Options for Service {
    async fn first(&self) {}
    async fn second(&self) {}
    async fn third(&self) {}
    async fn fourth(&self) {}
    async fn fifth(&self) {}
    async fn sixth(&self) {}
}

async fn uses(broker: &Broker) {
    let _ = OptionsClient::new(broker).first().await;
    OptionsServer::new(Service);
}

fn main() {}
