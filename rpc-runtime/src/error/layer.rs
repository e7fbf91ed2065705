//! The error of a layer, as a caller sees it.

use std::{error::Error, fmt};

use crate::causes::debug_as_sentence;

/// A layer of the client ended a call, with an error of its own.
pub struct LayerError {
    error: Box<dyn Error + Send + Sync>,
    may_have_run: bool,
    passes: bool,
}

impl LayerError {
    /// `passes`: the layer lets calls through again later, without any change.
    pub(crate) fn new(
        error: Box<dyn Error + Send + Sync>,
        may_have_run: bool,
        passes: bool,
    ) -> Self {
        Self { error, may_have_run, passes }
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
    /// [`CircuitOpen`](crate::middleware::CircuitOpen) is known to say that.
    pub fn is_retryable(&self) -> bool {
        !self.may_have_run && self.passes
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
