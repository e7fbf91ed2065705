//! Whether a server is there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A server that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstancePing {
    /// What the server calls itself: another text each time one is started.
    pub instance: String,
    /// The machine it runs on.
    #[serde(default)]
    pub host: String,
    /// The services it serves.
    #[serde(default)]
    pub services: Vec<String>,
    /// Whether it takes requests; `false` while it drains.
    #[serde(default)]
    pub ready: bool,
    /// How long the question and its answer took together. It is measured here and does not travel.
    #[serde(skip)]
    pub round_trip: Duration,
}
