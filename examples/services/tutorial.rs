//! The service of the RabbitMQ tutorial: one number as text in, one number as text out.

use rpc_runtime::rpc_service;

use super::fibonacci::recursive;

/// The service of RabbitMQ's RPC tutorial on `rpc_queue`.
#[rpc_service(queue = "rpc_queue", encoding = "text")]
pub trait Tutorial {
    /// The `n`-th Fibonacci number. The tutorial's clients name no method, so this is the default.
    #[rpc(default, blocking, timeout = "30s")]
    fn fib(&self, n: u32) -> u64;
}

/// Computes it as the tutorial does.
#[derive(Debug)]
pub struct Recursive;

impl Tutorial for Recursive {
    fn fib(&self, n: u32) -> u64 {
        println!(" [.] fib({n})");
        recursive(n)
    }
}
