use std::fmt;

use serde::Deserialize;

/// An error of pika.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PeerError {
    /// The name of pika's exception: `ChannelClosedByBroker`, `ProbableAccessDeniedError`, …
    pub kind: String,
    /// AMQP's code, if the broker gave one: 404, 406, …
    pub code: Option<u16>,
    /// The text of the error.
    pub text: String,
}

impl fmt::Display for PeerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(formatter, "{} {code}: {}", self.kind, self.text),
            None => write!(formatter, "{}: {}", self.kind, self.text),
        }
    }
}

impl std::error::Error for PeerError {}
