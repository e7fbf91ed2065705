//! What the errors of layers mean to a caller.

use super::BoxError;
use crate::{error::CallError, fault::Fault};

/// What an error says that came through layers.
pub(crate) enum Meaning {
    /// The call below them ended so.
    Call(CallError),
    /// A layer refused the request.
    Fault(Fault),
    /// A layer would not wait any longer.
    Elapsed,
    /// A layer had no room for it.
    Overloaded,
    /// Something of its own.
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

/// Whether a layer would not wait any longer.
pub(super) fn is_elapsed(error: &BoxError) -> bool {
    error.is::<tokio::time::error::Elapsed>() || error.is::<tower::timeout::error::Elapsed>()
}
