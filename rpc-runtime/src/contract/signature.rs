//! What a method looks like to bincode, in 16 hexadecimal digits.
//!
//! bincode writes no types: `(u32, u32)` reads as `(u64, u64)` without an error. So callers send this number along, and
//! a server that has another refuses the request. It is computed from what the types serialize to, all the way down,
//! not from how they are written: an alias or another path changes nothing, a field added to a struct does.

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

    /// The 16 lower-case hexadecimal digits of the header `rpc-signature`.
    pub fn as_str(&self) -> &str {
        &self.known().digits
    }

    /// The parts of the types that the signature does not cover, because they refuse every sample that they are offered.
    /// There the names of the types count. Empty for nearly every method.
    pub fn unseen(&self) -> &[String] {
        &self.known().traced.unseen
    }

    /// Why bincode cannot carry the types, if it cannot.
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

/// The signature of a method with these arguments and this result.
///
/// bincode writes arguments by position, so their names do not count: to rename one breaks nobody.
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
