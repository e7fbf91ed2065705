//! The signature of a method: 16 hexadecimal digits that identify its types in bincode.
//!
//! bincode writes no types, so `(u32, u32)` can be read as `(u64, u64)` without an error. Callers therefore send the
//! signature, and a server with another signature refuses the request. The signature depends on what the types
//! serialize to, at all levels, and not on how they are written. An alias or another path does not change it. A new
//! field of a struct does.

use std::sync::OnceLock;

use super::{
    ArgumentDescriptor, ReturnType,
    method::Tuple,
    trace::{Misfit, Traced, Tracer},
};

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
    compute: fn() -> Traced,
    known: OnceLock<Known>,
}

#[derive(Debug)]
struct Known {
    digits: String,
    traced: Traced,
}

impl Signature {
    pub(crate) const fn new(compute: fn() -> Traced) -> Self {
        Self { compute, known: OnceLock::new() }
    }

    /// The value of the header `rpc-signature`: 16 lower-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.known().digits
    }

    /// The parts of the types that the signature does not cover, because they refuse all sample values. For these
    /// parts, it uses the names of the types. Empty for nearly every method.
    pub fn unseen(&self) -> &[String] {
        &self.known().traced.unseen
    }

    /// Why bincode cannot carry the types. `None` if it can.
    pub(crate) fn misfit(&self) -> Option<&Misfit> {
        self.known().traced.misfit.as_ref()
    }

    fn known(&self) -> &Known {
        self.known.get_or_init(|| {
            let traced = (self.compute)();
            Known { digits: format!("{:016x}", traced.hash), traced }
        })
    }
}

/// Computes the signature of a method with these arguments and this result.
///
/// bincode writes arguments by position, so renaming one does not change the signature.
pub(crate) fn signature<A: Tuple, R: ReturnType<FALLIBLE>, const FALLIBLE: bool>(
    arguments: &'static [ArgumentDescriptor],
) -> Traced {
    let mut tracer = Tracer::default();
    A::trace(&mut tracer, arguments);
    tracer.divide();
    R::trace(&mut tracer);
    tracer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Payload;

    struct Given<T>(std::marker::PhantomData<T>);

    impl<T: Payload> Given<T> {
        fn returning<R: ReturnType<FALLIBLE>, const FALLIBLE: bool>() -> u64 {
            let mut tracer = Tracer::default();
            tracer.trace::<T>("given");
            tracer.divide();
            R::trace(&mut tracer);
            tracer.finish().hash
        }
    }

    #[test]
    fn arguments_results_and_errors_count() {
        let base = Given::<(u32, u8)>::returning::<u64, false>();
        assert_eq!(base, Given::<(u32, u8)>::returning::<u64, false>());
        assert_ne!(base, Given::<(u8, u32)>::returning::<u64, false>());
        assert_ne!(base, Given::<(u64, u8)>::returning::<u64, false>());
        assert_ne!(base, Given::<(u32, u8)>::returning::<u32, false>());
        assert_ne!(base, Given::<(u32, u8)>::returning::<Result<u64, String>, true>());
    }
}
