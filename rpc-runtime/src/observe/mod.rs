//! Spans, trace context and metrics of calls. See docs/observation.md.

mod metering;
mod span;
#[cfg(feature = "opentelemetry")]
mod trace_context;

#[cfg(feature = "metrics")]
pub use metering::describe_metrics;
#[cfg(feature = "cache")]
pub(crate) use metering::looked_up;
pub(crate) use metering::{
    End, Metered, circuit_closed, circuit_opened, late_reply, reconnected, retried,
};
pub(crate) use span::{CallDetails, call_span, end, inject, request_span};

use crate::{error::CallError, reply::Reply};

/// Replaces the name of a method that the server does not have. Otherwise peers could add any number of names.
pub(crate) const OTHER: &str = "_OTHER";

/// How a call or a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// One of a fixed set of words.
    pub(crate) word: &'static str,
    /// `false` for a method's own error, which is an ordinary reply.
    pub(crate) failed: bool,
}

impl From<&Reply> for Outcome {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Result { .. } => Self { word: "result", failed: false },
            Reply::Error { .. } => Self { word: "error", failed: false },
            Reply::Fault(fault) => Self { word: fault.kind().as_str(), failed: true },
        }
    }
}

impl From<&CallError> for Outcome {
    fn from(error: &CallError) -> Self {
        let word = match error {
            CallError::Application(never) => match *never {},
            CallError::NoServer => "no-server",
            CallError::DeadlineExceeded { .. } => "deadline-exceeded",
            CallError::ConnectionLost { .. } => "connection-lost",
            CallError::Refused(fault) => fault.kind().as_str(),
            CallError::Panicked => "panicked",
            CallError::Encode(_) => "encode",
            CallError::TooLarge(_) => "too-large",
            CallError::Decode(_) => "decode",
            CallError::Broker(_) => "broker",
            CallError::ChangedTooLate { .. } => "changed-too-late",
            CallError::Layer(_) => "layer",
        };
        Self { word, failed: true }
    }
}

impl From<&Result<Reply, CallError>> for Outcome {
    fn from(ended: &Result<Reply, CallError>) -> Self {
        match ended {
            Ok(reply) => reply.into(),
            Err(error) => error.into(),
        }
    }
}
