//! Serializable types that are not `Send`.

use std::marker::PhantomData;

use rpc_runtime::rpc_service;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct OneThread(#[serde(skip)] PhantomData<*const u8>);

#[rpc_service]
trait Types {
    #[rpc(blocking)]
    fn argument(&self, value: OneThread); //~ cannot be sent between threads safely
    #[rpc(blocking)]
    fn result(&self) -> OneThread; //~ cannot be sent between threads safely
}

fn main() {}
