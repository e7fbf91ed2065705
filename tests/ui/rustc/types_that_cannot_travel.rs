//! Each type without serde's traits is reported once, where it is written.

use rpc_runtime::{Broker, rpc_service};
use serde::{Deserialize, Serialize};

pub struct Bare;

#[derive(Serialize)]
pub struct WriteOnly;

#[derive(Deserialize)]
pub struct ReadOnly;

#[rpc_service]
trait Types {
    async fn argument(&self, first: u8, second: Bare, third: u8) -> u8; //~ `Bare` cannot travel in an RPC message
    async fn two(&self, one: WriteOnly, two: ReadOnly); //~ `WriteOnly` cannot travel //~ `ReadOnly` cannot travel
    async fn result(&self) -> Bare; //~ `Bare` cannot travel
    async fn error(&self) -> Result<u8, Bare>; //~ `Bare` cannot travel
    async fn value(&self) -> Result<Bare, u8>; //~ `Bare` cannot travel
    async fn nested(&self, values: Vec<Option<Bare>>); //~ cannot travel in an RPC message
    async fn boxed(&self) -> Result<u8, Box<dyn std::error::Error>>; //~ cannot travel in an RPC message //~ cannot be sent between threads
    #[rpc(blocking)]
    fn blocking(&self, value: Bare); //~ `Bare` cannot travel
}

struct Service;

impl Types for Service {
    async fn argument(&self, _: u8, _: Bare, _: u8) -> u8 {
        1
    }

    async fn two(&self, _: WriteOnly, _: ReadOnly) {}

    async fn result(&self) -> Bare {
        Bare
    }

    async fn error(&self) -> Result<u8, Bare> {
        Err(Bare)
    }

    async fn value(&self) -> Result<Bare, u8> {
        Ok(Bare)
    }

    async fn nested(&self, _: Vec<Option<Bare>>) {}


    async fn boxed(&self) -> Result<u8, Box<dyn std::error::Error>> {
        Ok(1)
    }

    fn blocking(&self, _: Bare) {}
}

async fn uses(broker: &Broker) {
    let client = TypesClient::new(broker);
    let _ = client.argument(1, Bare, 2).await;
    let _: Result<u8, rpc_runtime::CallError<Bare>> = client.error().await;
    TypesServer::new(Service);
}

fn main() {}
