use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The declaration of a queue by a [`Peer`](crate::Peer).
#[derive(Debug, Clone, Default, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "these are the bits of queue.declare")]
pub struct QueueSpec {
    name: String,
    passive: bool,
    durable: bool,
    exclusive: bool,
    auto_delete: bool,
    arguments: Map<String, Value>,
}

impl QueueSpec {
    /// A queue with default flags: not durable, not exclusive. With an empty name the broker chooses one.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Only checks that the queue exists.
    pub fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    /// Survives a restart of the broker.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Only for this connection, and deleted with it.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Deleted with its last consumer.
    pub fn auto_delete(mut self) -> Self {
        self.auto_delete = true;
        self
    }

    /// Durable, with `x-queue-type` quorum.
    pub fn quorum(self) -> Self {
        self.durable().argument("x-queue-type", "quorum")
    }

    /// Durable, with `x-queue-type` classic.
    pub fn classic(self) -> Self {
        self.durable().argument("x-queue-type", "classic")
    }

    /// An argument: a JSON value, or a [`typed`](crate::typed) one.
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }
}

/// The broker's state of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QueueInfo {
    /// Its name, perhaps chosen by the broker.
    pub name: String,
    /// Messages ready to be delivered.
    pub messages: u32,
    /// Number of consumers.
    pub consumers: u32,
}
