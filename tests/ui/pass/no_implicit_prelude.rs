//! Generated code uses no names of the prelude.

#![no_implicit_prelude]
#![deny(missing_docs, unused)]

use ::rpc_runtime::rpc_service;

/// Numbers.
#[rpc_service(timeout = "5s", version = 2, encoding = "json")]
pub trait Numbers {
    /// The next one.
    #[rpc(timeout = "1s", idempotent)]
    async fn next(&self, n: u32) -> ::core::result::Result<u32, ::std::string::String>;

    /// Forgets them.
    #[rpc(oneway)]
    async fn reset(&self);

    /// The hard way.
    #[rpc(blocking)]
    fn slow(&self, n: u32, m: u32) -> u32;

    /// Has a body.
    async fn double(&self, n: u32) -> u32 {
        n * 2
    }
}

struct Service;

impl Numbers for Service {
    async fn next(&self, n: u32) -> ::core::result::Result<u32, ::std::string::String> {
        ::core::result::Result::Ok(n)
    }

    async fn reset(&self) {}

    fn slow(&self, n: u32, m: u32) -> u32 {
        n + m
    }
}

fn main() {
    ::core::mem::drop(NumbersServer::new(Service));
}
