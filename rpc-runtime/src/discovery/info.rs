//! What a server serves.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A server, and what it serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceInfo {
    /// What the server calls itself: another text each time one is started.
    pub instance: String,
    /// The machine it runs on.
    #[serde(default)]
    pub host: String,
    /// Its process on that machine.
    #[serde(default)]
    pub process: u32,
    /// The framework and its version.
    #[serde(default)]
    pub runtime: String,
    /// When it was started: milliseconds since the beginning of 1970, UTC, by its own clock.
    #[serde(default)]
    pub started_ms: u64,
    /// How long ago that was, in milliseconds.
    #[serde(default)]
    pub uptime_ms: u64,
    /// The content types that requests may have.
    #[serde(default)]
    pub encodings: Vec<String>,
    /// What it takes at most.
    #[serde(default)]
    pub limits: ServerLimits,
    /// Its services.
    #[serde(default)]
    pub services: Vec<ServiceInfo>,
}

impl InstanceInfo {
    /// Leaves out what is of use but not needed.
    pub(crate) fn without_schemas(mut self) -> Self {
        for method in self.services.iter_mut().flat_map(|service| &mut service.methods) {
            (method.result_schema, method.error_schema) = (None, None);
            method.arguments.iter_mut().for_each(|argument| argument.schema = None);
        }
        self
    }
}

/// What a server takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ServerLimits {
    /// How many requests of each service it works on at once.
    pub concurrency: u32,
    /// The largest request body, in bytes.
    pub max_request: u64,
    /// The largest reply body, in bytes.
    pub max_reply: u64,
}

/// A service, as its server has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// Its version, if its trait says one.
    #[serde(default)]
    pub version: Option<u32>,
    /// The queue that its requests go to.
    #[serde(default)]
    pub queue: String,
    /// The topic exchange that requests have to come by; empty for the default exchange.
    #[serde(default)]
    pub exchange: String,
    /// The content type of requests that do not name theirs.
    #[serde(default)]
    pub encoding: String,
    /// How long its callers wait when nothing nearer the call says otherwise, in milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The trait's documentation.
    #[serde(default)]
    pub doc: String,
    /// Its methods, in the order of the trait.
    #[serde(default)]
    pub methods: Vec<MethodInfo>,
}

/// A method of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option that stands alone at the method"
)]
#[non_exhaustive]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: String,
    /// Its documentation.
    #[serde(default)]
    pub doc: String,
    /// Its arguments, in order.
    #[serde(default)]
    pub arguments: Vec<ArgumentInfo>,
    /// Its result type, as written at the trait.
    #[serde(default)]
    pub returns: String,
    /// How long its callers wait when the client and the call do not say otherwise, in milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The caller does not wait for an answer.
    #[serde(default)]
    pub oneway: bool,
    /// A plain function, run where blocking does no harm.
    #[serde(default)]
    pub blocking: bool,
    /// Running it twice is the same as running it once.
    #[serde(default)]
    pub idempotent: bool,
    /// Never run again after a redelivery.
    #[serde(default)]
    pub at_most_once: bool,
    /// How long a cache may answer in its place, in milliseconds; `None` if none may.
    #[serde(default)]
    pub cacheable_ms: Option<u64>,
    /// The method meant by a request that names none.
    #[serde(default)]
    pub default: bool,
    /// What its arguments and its result look like to bincode: the header `rpc-signature`.
    #[serde(default)]
    pub signature: String,
    /// The parts of its types that the signature covers by name alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// The JSON Schema (draft 7) of its result, of a `Result` of the value; where its type derives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_schema: Option<Value>,
    /// The JSON Schema of its own error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_schema: Option<Value>,
}

/// An argument of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArgumentInfo {
    /// Its name.
    pub name: String,
    /// Its type, as written at the trait.
    #[serde(default, rename = "type")]
    pub ty: String,
    /// Its JSON Schema (draft 7), where its type derives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}
