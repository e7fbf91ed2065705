//! The author may have types called `Result`, `Option`, `String`, `Send` and so on.

#![allow(dead_code)]

use rpc_runtime::{Call, rpc_service};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Result(u8);
#[derive(Serialize, Deserialize)]
pub enum Option {
    Some,
    None,
}
#[derive(Serialize, Deserialize)]
pub struct String;
#[derive(Serialize, Deserialize)]
pub struct Vec;
#[derive(Serialize, Deserialize)]
pub struct Box;
#[derive(Serialize, Deserialize)]
pub struct Arc;
#[derive(Serialize, Deserialize)]
pub struct Duration;
pub trait Send {}
pub trait Sync {}
pub trait Clone {}
pub trait Debug {}
pub trait Future {}
pub struct Ok;
pub struct Err;
pub struct Some;
pub struct None;
pub mod core {}
pub mod std {}

/// Everything here is the author's own.
#[rpc_service(timeout = "5s", version = 1)]
pub trait Shadowed {
    /// All of them.
    async fn get(&self, option: Option, string: String, vec: Vec, boxed: Box) -> Result;

    /// More of them.
    #[rpc(blocking, timeout = "1s")]
    fn more(&self, arc: Arc, duration: Duration) -> Vec;

    /// And the real one.
    async fn real(&self) -> ::core::result::Result<String, Option>;
}

fn calls(client: &ShadowedClient) -> (Call<Result>, Call<Vec>, Call<String, Option>) {
    (client.get(Option::None, String, Vec, Box), client.more(Arc, Duration), client.real())
}

fn main() {
    let _ = calls;
}
