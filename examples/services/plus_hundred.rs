//! The smallest service for programs in other languages: a number as text in, a number as text out.

use rpc_runtime::rpc_service;

/// Adds 100.
#[rpc_service(queue = "s14rpc", encoding = "text")]
pub trait PlusHundred {
    /// The number plus 100. Requests without a method name call this method.
    #[rpc(default, idempotent)]
    async fn add(&self, n: i64) -> Result<i64, String>;
}

/// Implements the service.
#[derive(Debug)]
pub struct Adder;

impl PlusHundred for Adder {
    async fn add(&self, n: i64) -> Result<i64, String> {
        n.checked_add(100).ok_or_else(|| format!("{n} and 100 have more than 64 bits"))
    }
}
