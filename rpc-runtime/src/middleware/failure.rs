//! What the errors of layers mean to a caller.

use std::{error::Error, fmt};

use super::{BoxError, CircuitOpen};
use crate::{
    error::{CallError, debug_as_sentence},
    fault::Fault,
};

/// A layer of the client ended a call, with an error of its own.
pub struct LayerError {
    error: BoxError,
    may_have_run: bool,
}

impl LayerError {
    pub(crate) fn new(error: BoxError, may_have_run: bool) -> Self {
        Self { error, may_have_run }
    }

    /// The layer's error, if it is one of this type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    /// Whether the request had left by then, so that the method may have run.
    pub fn may_have_run(&self) -> bool {
        self.may_have_run
    }

    /// Whether the same call may succeed later, without any risk of running twice: of the errors of layers, only
    /// [`CircuitOpen`] is known to say that.
    pub fn is_retryable(&self) -> bool {
        !self.may_have_run && self.error.is::<CircuitOpen>()
    }
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for LayerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

debug_as_sentence!(LayerError);

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
