//! The answer that shows that a server is there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A server that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstancePing {
    /// The server's id. Each start of a server makes a new one.
    pub instance: String,
    /// The machine that it runs on.
    #[serde(default)]
    pub host: String,
    /// The services it serves.
    #[serde(default)]
    pub services: Vec<String>,
    /// Whether it takes requests; `false` while it drains.
    #[serde(default)]
    pub ready: bool,
    /// The time from the question to the answer. It is measured by the asker and is not part of the message.
    #[serde(skip)]
    pub round_trip: Duration,
}
