//! The service that is measured.

use rpc_runtime::rpc_service;
use serde_bytes::ByteBuf;

/// The least of services.
#[rpc_service]
pub trait Least {
    /// The next number.
    async fn inc(&self, n: u64) -> u64;

    /// The same bytes. A `Vec<u8>` would be written one by one, as serde has it.
    async fn echo(&self, bytes: ByteBuf) -> ByteBuf;

    /// Never answers.
    async fn never(&self, bytes: ByteBuf);
}

/// Serves it.
#[derive(Debug, Clone, Copy)]
pub struct Worker;

impl Least for Worker {
    async fn inc(&self, n: u64) -> u64 {
        n.wrapping_add(1)
    }

    async fn echo(&self, bytes: ByteBuf) -> ByteBuf {
        bytes
    }

    async fn never(&self, _: ByteBuf) {
        std::future::pending::<()>().await;
    }
}
