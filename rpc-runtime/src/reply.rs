//! The reply to a request: one type from the method on the server to the caller.

use std::fmt;

use bytes::Bytes;

use crate::{codec::Encoding, fault::Fault};

/// The reply of a server, or of a layer in its place.
///
/// It is cheap to clone, because clones share the body.
///
/// A layer may reply by itself:
///
/// ```
/// use rpc_runtime::{
///     Broker, Encoding,
///     middleware::{BoxError, Next, Reply, Request},
///     rpc_service,
/// };
/// use tower::{layer::layer_fn, service_fn};
///
/// #[rpc_service(encoding = "json")]
/// trait Clock {
///     async fn year(&self) -> u32;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::CallError> {
/// let made_up = layer_fn(|_: Next| {
///     service_fn(async |_: Request| {
///         Ok::<_, BoxError>(Reply::Result { body: "1926".into(), encoding: Encoding::Json })
///     })
/// });
/// let nobody_serves_it = Broker::in_memory();
/// let client = ClockClient::builder(&nobody_serves_it).layer(made_up).build();
/// assert_eq!(client.year().await?, 1926);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub enum Reply {
    /// The method's result.
    Result {
        /// The result, encoded.
        body: Bytes,
        /// The encoding of the body.
        encoding: Encoding,
    },
    /// The method's own error.
    Error {
        /// The error, encoded.
        body: Bytes,
        /// The encoding of the body.
        encoding: Encoding,
    },
    /// The request was refused, or the method panicked.
    Fault(Fault),
}

impl Reply {
    /// The size of the body, in bytes; 0 for a fault.
    pub fn size(&self) -> usize {
        match self {
            Self::Result { body, .. } | Self::Error { body, .. } => body.len(),
            Self::Fault(_) => 0,
        }
    }

    /// The fault, if it is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies may hold private data.
        match self {
            Self::Result { .. } => f.debug_struct("Result").field("size", &self.size()).finish(),
            Self::Error { .. } => f.debug_struct("Error").field("size", &self.size()).finish(),
            Self::Fault(fault) => f.debug_tuple("Fault").field(fault).finish(),
        }
    }
}
