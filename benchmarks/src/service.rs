//! The measured service.

use rpc_runtime::rpc_service;
use serde_bytes::ByteBuf;

/// A service that does almost nothing.
#[rpc_service]
pub trait Least {
    /// The next number.
    async fn inc(&self, n: u64) -> u64;

    /// The same bytes. serde would write a `Vec<u8>` element by element.
    async fn echo(&self, bytes: ByteBuf) -> ByteBuf;

    /// Never replies.
    async fn never(&self, bytes: ByteBuf);
}

/// Implements the service.
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
