//! Borrowed types, and their replacements.

use rpc_runtime::{Broker, rpc_service};

use std::{borrow::Cow, collections::HashMap, path::Path};

#[rpc_service]
trait Borrowed {
    async fn text(&self, text: &str) -> u8;
    async fn bytes(&self, bytes: &[u8], more: &mut [u8; 4]) -> u8;
    async fn nested(&self, map: HashMap<&str, Option<&Path>>) -> u8;
    async fn whole(&self, user: &User) -> u8;
    async fn cow(&self, text: Cow<'_, str>) -> u8;
    async fn forever(&self, text: &'static str) -> u8;
    async fn dynamic(&self, text: &dyn std::fmt::Display) -> u8;
    async fn result(&self) -> &str;
    async fn error(&self) -> Result<u8, BorrowedError<'_>>;
}

pub struct User;
pub struct BorrowedError<'a>(&'a str);

struct Service;

impl Borrowed for Service {
    async fn text(&self, _: &str) -> u8 {
        1
    }

    async fn bytes(&self, _: &[u8], _: &mut [u8; 4]) -> u8 {
        1
    }

    async fn nested(&self, _: HashMap<&str, Option<&Path>>) -> u8 {
        1
    }

    async fn whole(&self, _: &User) -> u8 {
        1
    }

    async fn cow(&self, _: Cow<'_, str>) -> u8 {
        1
    }

    async fn forever(&self, _: &'static str) -> u8 {
        1
    }

    async fn dynamic(&self, _: &dyn std::fmt::Display) -> u8 {
        1
    }

    async fn result(&self) -> &str {
        "one"
    }

    async fn error(&self) -> Result<u8, BorrowedError<'_>> {
        Err(BorrowedError("one"))
    }
}

async fn uses(broker: &Broker) {
    let client = BorrowedClient::new(broker);
    let _ = client.text("one").await;
    let _: Result<u8, _> = client.error().await;
    BorrowedServer::new(Service);
}

fn main() {}
