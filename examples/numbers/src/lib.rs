//! The library of docs/getting-started.md.

use std::fmt;

use rpc_runtime::rpc_service;
use serde::{Deserialize, Serialize};

/// Works with numbers.
#[rpc_service]
pub trait Numbers {
    /// The square root of a square number.
    async fn root(&self, n: u64) -> Result<u64, NoRoot>;

    /// The sum of all of them.
    async fn sum(&self, numbers: Vec<u64>) -> u64;
}

/// The number is no square; these two roots are the nearest.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoRoot {
    /// The root of the next square below it.
    pub below: u64,
    /// The root of the next square above it.
    pub above: u64,
}

impl fmt::Display for NoRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no square: its root is between {} and {}", self.below, self.above)
    }
}
