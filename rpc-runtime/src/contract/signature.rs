//! What a method looks like to bincode, in 16 hexadecimal digits.
//!
//! bincode writes no types: `(u32, u32)` reads as `(u64, u64)` without an error. So callers send this number along, and
//! a server that has another refuses the request. It is computed from what the types serialize to, all the way down,
//! not from how they are written: an alias or another path changes nothing, a field added to a struct does.

use std::sync::OnceLock;

use super::{Payload, Reply, trace::describe};

/// The signature of a method, computed on first use.
///
/// ```
/// use rpc_runtime::{Dispatch, rpc_service};
///
/// #[rpc_service]
/// trait Sums {
///     async fn sum(&self, numbers: Vec<u64>) -> u64;
///     async fn total(&self, of: Vec<u64>) -> u64;
///     async fn mean(&self, numbers: Vec<u64>) -> f64;
/// }
/// # struct Plain;
/// # impl Sums for Plain {
/// #     async fn sum(&self, numbers: Vec<u64>) -> u64 { numbers.iter().sum() }
/// #     async fn total(&self, of: Vec<u64>) -> u64 { of.iter().sum() }
/// #     async fn mean(&self, _: Vec<u64>) -> f64 { 0.0 }
/// # }
///
/// let server = SumsServer::new(Plain);
/// let signatures = server.descriptor().methods.iter().map(|method| method.signature.as_str());
/// let [sum, total, mean] = signatures.collect::<Vec<_>>().try_into().unwrap();
/// assert_eq!(sum, total, "names do not count");
/// assert_ne!(sum, mean, "types do");
/// ```
#[derive(Debug)]
pub struct Signature {
    compute: fn() -> u64,
    digits: OnceLock<String>,
}

impl Signature {
    #[doc(hidden)]
    pub const fn new(compute: fn() -> u64) -> Self {
        Self { compute, digits: OnceLock::new() }
    }

    /// The 16 lower-case hexadecimal digits of the header `rpc-signature`.
    pub fn as_str(&self) -> &str {
        self.digits.get_or_init(|| format!("{:016x}", (self.compute)()))
    }
}

/// The signature of a method with these arguments and this result.
///
/// bincode writes arguments by position, so their names do not count: to rename one breaks nobody.
pub(crate) fn signature<A: Payload, R: Reply<FALLIBLE>, const FALLIBLE: bool>() -> u64 {
    fnv1a(format!("{}->{}", describe::<A>(), R::describe()).as_bytes())
}

/// FNV-1a: small, and the same on every machine and in every version, which no hasher of `std` promises.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_results_and_errors_count() {
        let base = signature::<(u32, u8), u64, false>();
        assert_eq!(base, signature::<(u32, u8), u64, false>());
        assert_ne!(base, signature::<(u8, u32), u64, false>());
        assert_ne!(base, signature::<(u64, u8), u64, false>());
        assert_ne!(base, signature::<(u32, u8), u32, false>());
        assert_ne!(base, signature::<(u32, u8), Result<u64, String>, true>());
    }

    #[test]
    fn it_is_the_same_number_in_every_build() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
