//! The description of a server and its services.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A server and its services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceInfo {
    /// The server's id. Each start of a server makes a new one.
    pub instance: String,
    /// The machine that it runs on.
    #[serde(default)]
    pub host: String,
    /// Its process id on that machine.
    #[serde(default)]
    pub process: u32,
    /// The framework and its version.
    #[serde(default)]
    pub runtime: String,
    /// The time of its start, in milliseconds since the Unix epoch, by its own clock.
    #[serde(default)]
    pub started_ms: u64,
    /// The time since its start, in milliseconds.
    #[serde(default)]
    pub uptime_ms: u64,
    /// The content types that requests may have.
    #[serde(default)]
    pub encodings: Vec<String>,
    /// Its limits.
    #[serde(default)]
    pub limits: ServerLimits,
    /// Its services.
    #[serde(default)]
    pub services: Vec<ServiceInfo>,
}

impl InstanceInfo {
    /// Removes the schemas, which are useful but not required.
    pub(crate) fn without_schemas(mut self) -> Self {
        for method in self.services.iter_mut().flat_map(|service| &mut service.methods) {
            (method.result_schema, method.error_schema) = (None, None);
            method.arguments.iter_mut().for_each(|argument| argument.schema = None);
        }
        self
    }
}

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ServerLimits {
    /// How many requests of each service run at once.
    pub concurrency: u32,
    /// The largest request body, in bytes.
    pub max_request: u64,
    /// The largest reply body, in bytes.
    pub max_reply: u64,
}

/// A service as its server describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// Its version, if its trait has one.
    #[serde(default)]
    pub version: Option<u32>,
    /// The queue that its requests go to.
    #[serde(default)]
    pub queue: String,
    /// The topic exchange that requests must come through. Empty for the default exchange.
    #[serde(default)]
    pub exchange: String,
    /// The content type of requests that do not name theirs.
    #[serde(default)]
    pub encoding: String,
    /// How long its callers wait if no method, client or call sets a timeout, in milliseconds.
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
    /// Its result type, as written in the trait.
    #[serde(default)]
    pub returns: String,
    /// How long its callers wait if neither the client nor the call sets a timeout, in milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The caller does not wait for a reply.
    #[serde(default)]
    pub oneway: bool,
    /// A plain function. It runs on threads that may block.
    #[serde(default)]
    pub blocking: bool,
    /// Running it twice has the same effect as running it once.
    #[serde(default)]
    pub idempotent: bool,
    /// It is never run again after a redelivery.
    #[serde(default)]
    pub at_most_once: bool,
    /// How long a cache may reuse its result, in milliseconds. `None` if no cache may.
    #[serde(default)]
    pub cacheable_ms: Option<u64>,
    /// The method for requests that name none.
    #[serde(default)]
    pub default: bool,
    /// The layout of its arguments and result in bincode: the header `rpc-signature`.
    #[serde(default)]
    pub signature: String,
    /// The parts of its types that the signature covers only by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// The JSON Schema (draft 7) of its result. For a `Result`, that of the `Ok` value. Only present if its type
    /// derives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_schema: Option<Value>,
    /// The JSON Schema of its application error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_schema: Option<Value>,
}

/// An argument of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArgumentInfo {
    /// Its name.
    pub name: String,
    /// Its type, as written in the trait.
    #[serde(default, rename = "type")]
    pub ty: String,
    /// Its JSON Schema (draft 7). Only present if its type derives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}
