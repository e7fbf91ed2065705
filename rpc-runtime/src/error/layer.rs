//! The error of a layer, as callers see it.

use std::{error::Error, fmt};

use crate::causes::debug_as_sentence;

/// A layer of the client ended a call with its own error.
pub struct LayerError {
    error: Box<dyn Error + Send + Sync>,
    may_have_run: bool,
    passes: bool,
}

impl LayerError {
    /// `passes`: the layer accepts calls again later, without any change.
    pub(crate) fn new(
        error: Box<dyn Error + Send + Sync>,
        may_have_run: bool,
        passes: bool,
    ) -> Self {
        Self { error, may_have_run, passes }
    }

    /// The layer's error, if it has this type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    /// Whether the request had already been sent, so the method may have run.
    pub fn may_have_run(&self) -> bool {
        self.may_have_run
    }

    /// Whether the same call may succeed later, without a risk of running twice. Among the errors of layers, this is
    /// only known for [`CircuitOpen`](crate::middleware::CircuitOpen).
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
