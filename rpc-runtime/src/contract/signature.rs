//! What a method looks like to bincode, in 16 hexadecimal digits.

use std::sync::OnceLock;

use super::{Payload, Reply};

/// The signature of a method, computed from its types on first use.
#[derive(Debug)]
pub struct Signature {
    compute: fn() -> u64,
    value: OnceLock<String>,
}

impl Signature {
    #[doc(hidden)]
    pub const fn new(compute: fn() -> u64) -> Self {
        Self { compute, value: OnceLock::new() }
    }

    /// The 16 lower-case hexadecimal digits of the header `rpc-signature`.
    pub fn as_str(&self) -> &str {
        self.value.get_or_init(|| format!("{:016x}", (self.compute)()))
    }
}

#[doc(hidden)]
pub fn signature<A: Payload, R: Reply<FALLIBLE>, const FALLIBLE: bool>(_arguments: &[&str]) -> u64 {
    0
}
