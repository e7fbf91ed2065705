//! Typed RPC over RabbitMQ: a Rust trait becomes a client and a server.
//!
//! [`#[rpc_service]`](macro@rpc_service) on a trait makes `XClient` and `XServer`. A call is one message to the service's
//! queue and one message back; any number of calls are in flight over one connection.
//!
//! ```
//! use rpc_runtime::{Broker, CallError, Server, rpc_service};
//!
//! #[rpc_service]
//! trait Divider {
//!     async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String>;
//! }
//!
//! struct Exact;
//!
//! impl Divider for Exact {
//!     async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String> {
//!         dividend.checked_div(divisor).ok_or_else(|| "division by zero".to_owned())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = Broker::in_memory(); // or Broker::connect("amqp://localhost:5672/%2f").await?
//! let server = Server::builder(&broker).service(DividerServer::new(Exact)).start().await?;
//!
//! let client = DividerClient::new(&broker);
//! assert_eq!(client.divide(7, 2).await?, 3);
//! assert!(matches!(client.divide(7, 0).await, Err(CallError::Application(_))));
//!
//! server.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Goals
//!
//! * Within its deadline, every call ends with exactly one of these: a reply, a typed failure, or an error that reports an
//!   unknown outcome. See [`CallError`].
//! * A remote call looks remote: it returns a [`Call`], which has a deadline, can fail, and is sent only when polled.
//! * The trait declares which methods may run twice. Requests of all other methods are never sent twice.
//! * The wire is plain AMQP 0-9-1, so programs in other languages can call services and serve them.
//! * No input from outside makes a process panic, hang, or allocate without bound.
//! * The things that users expect around calls are included: layers, spans and metrics, discovery without a registry,
//!   health, a broker in memory for tests, and `rpc` for the command line.
//!
//! # Non-goals
//!
//! * Exactly-once execution. If a server dies, another server runs its requests again. A method marked `at_most_once` is not
//!   run again, and its caller gets an error: the outcome is unknown.
//! * Streams, publish and subscribe, and large files.
//! * A broker of its own: [`Broker::in_memory`] is for tests and demonstrations.
//!
//! # Where to look
//!
//! | for | see |
//! | --- | --- |
//! | what a trait may contain, and every option | [`macro@rpc_service`] |
//! | connecting | [`Broker`], [`BrokerBuilder`], [`BrokerStatus`] |
//! | calling | [`Call`], [`ClientBuilder`], [`CallError`], [`CallFailure`] |
//! | calling without the trait | [`UntypedClient`] |
//! | serving | [`Server`], [`ServerBuilder`], [`Queue`], [`Context`] |
//! | asking servers about themselves | [`discovery`], [`Health`] |
//! | layers, of your own or of tower | [`middleware`] |
//! | testing a service | [`Broker::serving`], [`BrokerBuilder::in_memory`], `testing` (a feature) |
//!
//! The guide, `docs/README.md` in the repository, covers everything from an empty directory to servers on a cluster: getting
//! started, encodings, errors and deadlines, testing, patterns (mock, dyn, pagination, pub/sub, large files, fail fast),
//! evolving a service, deploying, other languages.
//!
//! Which encoding? The default, bincode, is for Rust callers and servers that are built from one trait and released
//! together. Use `#[rpc_service(encoding = "json")]` if programs in other languages call, if callers and servers are
//! released separately, or if a type has `flatten`, `untagged`, `tag`, `skip_serializing_if` or a `serde_json::Value`, which
//! bincode cannot carry. [`macro@rpc_service`] and `docs/encodings.md` have more.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! | --- | --- |
//! | `testing` | `testing`, brokers with injected faults: for dev-dependencies |
//! | `tls` | `amqps://` addresses, which are refused without it |
//! | `lapin` | `Broker::over_lapin`: RabbitMQ over connections that the program makes with lapin 4 |
//! | `cache` | `middleware::Cache`, for methods marked `cacheable` |
//! | `opentelemetry` | traces across processes, with the spans of tracing-opentelemetry |
//! | `metrics` | counts and durations, through the facade `metrics`: `describe_metrics` |
//! | `schemars` | the JSON Schemas of types that derive it, in the descriptions that servers send to [`discovery`] |
//!
//! Cargo enables a dependency's features for the whole program. This crate enables two features of `serde_json`, so your
//! program has them, too: `float_roundtrip`, without which some floating-point numbers would change in the last digit on the
//! way (it makes parsing numbers with a fraction slower, and changes no other result), and `raw_value`, which only adds a
//! type.

// Lets this crate's own tests use generated code, which names `::rpc_runtime`.
extern crate self as rpc_runtime;

mod broker;
mod causes;
mod client;
mod clock;
mod codec;
mod connection;
mod context;
mod contract;
mod cut;
pub mod discovery;
mod error;
mod escape;
#[cfg(feature = "failpoints")]
mod failpoint;
mod fault;
mod limits;
mod lock;
mod message;
pub mod middleware;
mod observe;
mod reply;
mod server;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod transport;
mod wire;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(fuzzing)]
#[doc(hidden)]
#[path = "fuzz.rs"]
pub mod __fuzz;

#[cfg(feature = "bench")]
#[doc(hidden)]
#[path = "bench.rs"]
pub mod __bench;

pub use broker::{Broker, BrokerBuilder};
pub use client::{
    Call, ClientBuilder, Explained, UntypedCall, UntypedClient, UntypedReply, WhenFull,
    WhenUnserved,
};
pub use codec::{DecodeError, EncodeError, Encoding};
pub use connection::{BrokerStatus, StatusChanges, Unavailable};
pub use context::Context;
#[cfg(feature = "schemars")]
pub use contract::MethodSchemas;
pub use contract::{ArgumentDescriptor, MethodDescriptor, Payload, ServiceDescriptor, Signature};
pub use error::{BrokerError, BrokerErrorKind, CallError, CallFailure, TooLarge};
#[doc(hidden)]
pub use escape::{Escaped, is_unseen};
pub use fault::{Fault, FaultKind};
#[cfg(feature = "metrics")]
pub use observe::describe_metrics;
/// TLS, for [`BrokerBuilder::tls`].
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use rpc_runtime::{Broker, Tls};
///
/// let tls = Tls::new()
///     .roots(std::fs::read("ca.pem")?)
///     .identity(std::fs::read("client.pem")?, std::fs::read("client.key")?);
/// let broker = Broker::builder("amqps://rabbit.internal").tls(tls).connect().await?;
/// # Ok(())
/// # }
/// ```
#[doc(inline)]
pub use rpc_amqp::Tls;
#[doc = include_str!("rpc_service.md")]
pub use rpc_macros::rpc_service;
pub use server::{
    Dispatch, Health, HealthStatus, Server, ServerBuilder, ServerStats, ShutdownError,
};
pub use transport::{Overflow, Queue, QueueArgument, QueueState};
