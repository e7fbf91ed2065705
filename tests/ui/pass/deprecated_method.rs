//! A deprecated method warns only its callers.

#![deny(warnings)]

use rpc_runtime::rpc_service;

#[rpc_service]
pub trait Store {
    #[deprecated = "use `get`"]
    async fn fetch(&self, key: String) -> String;

    #[rpc(blocking)]
    #[deprecated(since = "1.0.0", note = "use `get`")]
    fn load(&self, key: String) -> String;

    async fn get(&self, key: String) -> String;
}

#[rpc_service]
#[deprecated = "use `Store`"]
pub trait OldStore {
    async fn get(&self, key: String) -> String;
}

struct Map;

impl Store for Map {
    async fn fetch(&self, key: String) -> String {
        key
    }

    fn load(&self, key: String) -> String {
        key
    }

    async fn get(&self, key: String) -> String {
        key
    }
}

fn main() {
    StoreServer::new(Map);
}
