//! Names that generated code or the client also use.

#![allow(non_snake_case)]

use std::sync::Arc;

use rpc_runtime::rpc_service;

#[rpc_service]
trait Client {
    async fn call(&self, call: u8, ctx: u8, self_: u8) -> u8;
    async fn client(&self, client: u8) -> u8;
    async fn send(&self, service: u8, broker: u8, inner: u8) -> u8;
    async fn clone(&self, a0: u8, a1: u8) -> u8;
    async fn into_future(&self, __RpcService: u8) -> u8;
    async fn fmt(&self);
    async fn descriptor(&self);
    async fn handlers(&self);
    async fn from_client(&self);
    async fn build(&self);
    async fn main(&self);
    async fn drop(&self);
    #[rpc(blocking)]
    fn blocking(&self, method: u8, formatter: u8);
    #[rpc(blocking)]
    fn asynchronous(&self, arguments: u8);
}

/// Its result type is the standard library's, though its own name is `Result`.
#[rpc_service]
trait Result {
    async fn get(&self) -> ::std::result::Result<u8, String>;
}

#[rpc_service]
trait Call {
    async fn get(&self) -> Arguments;
}

#[rpc_service]
trait S {
    async fn get(&self, s: Method) -> Payload;
}

#[rpc_service]
trait Server {
    async fn get(&self);
}

/// Names of the runtime's, as types of the author's.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Method;
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Payload;
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Arguments;

struct Worker;

impl S for Worker {
    async fn get(&self, _: Method) -> Payload {
        Payload
    }
}

impl Call for Worker {
    async fn get(&self) -> Arguments {
        Arguments
    }
}

fn calls(client: &ClientClient) {
    drop(client.call(1, 2, 3));
    drop(client.clone(1, 2));
    let copy: ClientClient = Clone::clone(client);
    drop(copy.send(1, 2, 3));
}

fn main() {
    let _ = calls;
    SServer::new(Arc::new(Worker));
    CallServer::new(Worker);
}
