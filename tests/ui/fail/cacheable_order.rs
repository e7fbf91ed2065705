//! A cache finds a result by the bytes of the arguments, and hashed collections have no stable order.

use std::collections::{HashMap, HashSet};

use rpc_runtime::rpc_service;

#[rpc_service]
trait Search {
    #[rpc(cacheable = "30s")]
    async fn by_tags(&self, tags: HashMap<String, u32>, page: u32) -> Vec<u64>;

    #[rpc(cacheable = "30s")]
    async fn by_words(&self, page: u32, words: Option<Vec<HashSet<String>>>) -> Vec<u64>;
}

fn main() {}
