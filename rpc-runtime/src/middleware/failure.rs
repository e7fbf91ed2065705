//! How callers see the errors of layers.

use super::BoxError;
use crate::{error::CallError, fault::Fault};

/// The meaning of an error from a layer.
pub(crate) enum Meaning {
    /// The outcome of the call below the layers.
    Call(CallError),
    /// A layer refused the request.
    Fault(Fault),
    /// A layer's timeout has passed.
    Elapsed,
    /// A layer had no capacity.
    Overloaded,
    /// Any other error of a layer.
    Other(BoxError),
}

pub(crate) fn meaning(error: BoxError) -> Meaning {
    let error = match error.downcast::<CallError>() {
        Ok(error) => return Meaning::Call(*error),
        Err(error) => error,
    };
    match error.downcast::<Fault>() {
        Ok(fault) => Meaning::Fault(*fault),
        Err(error) if is_elapsed(&error) => Meaning::Elapsed,
        Err(error) if error.is::<tower::load_shed::error::Overloaded>() => Meaning::Overloaded,
        Err(error) => Meaning::Other(error),
    }
}

/// Whether a layer's timeout has passed.
pub(super) fn is_elapsed(error: &BoxError) -> bool {
    error.is::<tokio::time::error::Elapsed>() || error.is::<tower::timeout::error::Elapsed>()
}
