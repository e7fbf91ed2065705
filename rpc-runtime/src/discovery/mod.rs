//! Asks servers about themselves, through the broker and without a registry.
//!
//! Every [`Server`](crate::Server) listens on the topic exchange `rpc.discovery`. It answers three questions: is it
//! there, what does it serve, and what are its statistics. A [`Discovery`] sends a question to all servers, to those
//! of one service or to one server, and collects the answers. `docs/discovery.md` describes the messages, for
//! programs in other languages.
//!
//! ```
//! use rpc_runtime::{Broker, Server, discovery::Discovery, rpc_service};
//!
//! /// Adds and subtracts.
//! #[rpc_service]
//! trait Adder {
//!     /// The sum.
//!     async fn add(&self, a: u32, b: u32) -> u32;
//! }
//!
//! struct Plain;
//! impl Adder for Plain {
//!     async fn add(&self, a: u32, b: u32) -> u32 {
//!         a + b
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), rpc_runtime::BrokerError> {
//! let broker = Broker::in_memory();
//! let server = Server::builder(&broker).service(AdderServer::new(Plain)).start().await?;
//!
//! let servers = Discovery::new(&broker).info().await?;
//! assert_eq!(servers[0].instance, server.instance());
//! let adder = &servers[0].services[0];
//! assert_eq!((adder.name.as_str(), adder.doc.as_str()), ("Adder", "Adds and subtracts."));
//! assert_eq!(adder.methods[0].arguments[1].name, "b");
//! # Ok(())
//! # }
//! ```

mod ask;
mod collect;
mod info;
mod ping;
mod reading;
mod stats;
mod weight;
mod wire;

pub use ask::Discovery;
pub use info::{ArgumentInfo, InstanceInfo, MethodInfo, ServerLimits, ServiceInfo};
pub use ping::InstancePing;
pub use stats::{InstanceStats, Latency, MethodStats, ServiceStats};
pub(crate) use wire::{Question, keys};
