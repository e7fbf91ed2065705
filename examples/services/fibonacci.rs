//! The service of the Fibonacci examples.

use std::sync::atomic::{AtomicU64, Ordering};

use rpc_runtime::rpc_service;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Numbers of the Fibonacci sequence.
#[rpc_service]
pub trait Fibonacci {
    /// The `n`-th number; refuses an `n` whose result does not fit a `u64`.
    #[rpc(idempotent)]
    async fn fib(&self, n: u32) -> Result<u64, FibError>;

    /// The `n`-th number, computed slowly on a busy core.
    #[rpc(blocking, timeout = "30s")]
    fn slow(&self, n: u32) -> u64;

    /// How many numbers were asked for since the last reset.
    async fn count(&self) -> u64;

    /// Resets the count.
    #[rpc(oneway)]
    async fn reset(&self);
}

/// Why there is no such number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum FibError {
    /// The number has more than 64 bits.
    #[error("the Fibonacci number {n} does not fit 64 bits; {largest} is the largest that does")]
    TooLarge {
        /// The `n` of the call.
        n: u32,
        /// The largest possible `n`.
        largest: u32,
    },
}

/// Computes the numbers.
#[derive(Debug, Default)]
pub struct Sequence {
    asked: AtomicU64,
}

/// The last Fibonacci number that fits a `u64`.
const LARGEST: u32 = 93;

impl Fibonacci for Sequence {
    async fn fib(&self, n: u32) -> Result<u64, FibError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if n > LARGEST {
            return Err(FibError::TooLarge { n, largest: LARGEST });
        }
        let (number, _) = (0..n).fold((0u64, 1u64), |(a, b), _| (b, a.wrapping_add(b)));
        Ok(number)
    }

    fn slow(&self, n: u32) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed);
        recursive(n)
    }

    async fn count(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn reset(&self) {
        self.asked.store(0, Ordering::Relaxed);
    }
}

/// Computes it like the RabbitMQ tutorial: exponential in `n`.
pub(crate) fn recursive(n: u32) -> u64 {
    match n {
        0 | 1 => u64::from(n),
        _ => recursive(n - 1) + recursive(n - 2),
    }
}
