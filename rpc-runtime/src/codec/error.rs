//! Errors of encoding and decoding.

use std::{error::Error, fmt};

use super::Encoding;
use crate::{causes::debug_as_sentence, escape::Escaped};

type Source = Box<dyn Error + Send + Sync>;

/// The encoding cannot express this value.
///
/// ```
/// # use rpc_runtime::{Broker, rpc_service};
/// use rpc_runtime::CallError;
/// # #[rpc_service]
/// # trait Echo { async fn echo(&self, text: String) -> String; }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let client = EchoClient::new(&Broker::in_memory());
///
/// // Headers that begin with `rpc-` are reserved.
/// match client.echo("la".into()).header("rpc-secret", "x").await {
///     Err(CallError::Encode(error)) => assert!(error.to_string().contains("reserved")),
///     other => panic!("{other:?}"),
/// }
/// # }
/// ```
pub struct EncodeError {
    message: String,
    source: Option<Source>,
}

/// The bytes are not valid for the expected type.
pub struct DecodeError {
    message: String,
    source: Option<Source>,
}

impl EncodeError {
    pub(crate) fn new(encoding: Encoding, source: impl Into<Source>) -> Self {
        let message = format!("the value cannot be written as {encoding}");
        Self { message, source: Some(source.into()) }
    }

    /// An error that no encoder reported.
    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }
}

impl DecodeError {
    pub(crate) fn new(encoding: Encoding, source: impl Into<Source>) -> Self {
        Self { message: format!("not the {encoding} expected here"), source: Some(source.into()) }
    }

    /// An error of form that no decoder reported.
    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The error with its causes in one line, for a peer, which cannot use `source()`.
    pub(crate) fn in_full(&self) -> String {
        in_full(&self.message, self.source.as_ref())
    }
}

impl EncodeError {
    /// The error with its causes in one line, for a peer, which cannot use `source()`.
    pub(crate) fn in_full(&self) -> String {
        in_full(&self.message, self.source.as_ref())
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may quote a peer.
        Escaped::new(&self.message).whole().fmt(f)
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

debug_as_sentence!(EncodeError, DecodeError);

fn in_full(message: &str, source: Option<&Source>) -> String {
    match source {
        Some(source) => format!("{message}: {source}"),
        None => message.to_owned(),
    }
}
