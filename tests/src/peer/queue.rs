use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a [`Peer`](crate::Peer) declares a queue.
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
    /// A queue with nothing set: not durable, not exclusive. An empty name lets the broker choose one.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Declares nothing, asks whether it is there.
    pub fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    /// Survives a restart of the broker.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Of this connection only, and gone with it.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Gone with its last consumer.
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

/// What the broker says of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QueueInfo {
    /// Its name, the one the broker chose if it was asked to.
    pub name: String,
    /// Messages ready to be delivered.
    pub messages: u32,
    /// Consumers on it.
    pub consumers: u32,
}
