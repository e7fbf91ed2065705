//! Layers between a call and the wire, and between the wire and a method: [`tower`] services of [`Request`] to [`Reply`].
//!
//! A layer sees each request and each reply. It may refuse, delay, repeat or answer a request, change headers or
//! bodies, or only observe. Layers are ordinary [`tower::Layer`]s over [`Next`], so the layers of [`tower`] work
//! unchanged. Add them with `layer`:
//!
//! | to | it sees |
//! | --- | --- |
//! | [`Broker`](crate::Broker::layer) | the calls of all clients made from that broker afterwards |
//! | [`ClientBuilder`](crate::ClientBuilder::layer) | the calls of that client, before those of its broker |
//! | [`ServerBuilder`](crate::ServerBuilder::layer) | the requests of all services of that server, once they have passed the checks of their envelope, and before they are decoded |
//!
//! Each layer wraps those that were added before it, so the last one sees a request first. In a
//! [`tower::ServiceBuilder`], the first layer sees a request first, and all layers together cost as much as one.
//!
//! ```
//! use std::time::Duration;
//!
//! use rpc_runtime::{Broker, CallError, Server, rpc_service};
//! use tower::ServiceBuilder;
//!
//! #[rpc_service]
//! trait Oracle {
//!     async fn ask(&self) -> String;
//! }
//!
//! struct Delphi;
//! impl Oracle for Delphi {
//!     async fn ask(&self) -> String {
//!         std::future::pending().await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = Broker::in_memory();
//! let server = Server::builder(&broker)
//!     .service(OracleServer::new(Delphi))
//!     .layer(ServiceBuilder::new().load_shed().concurrency_limit(100))
//!     .start()
//!     .await?;
//!
//! let impatient = ServiceBuilder::new().timeout(Duration::from_millis(10));
//! let client = OracleClient::builder(&broker).layer(impatient).build();
//! let answer = client.ask().await;
//! assert!(matches!(answer, Err(CallError::DeadlineExceeded { may_have_run: true })));
//! # drop(server);
//! # Ok(())
//! # }
//! ```
//!
//! # Layers in this crate
//!
//! * [`Authorization`], for servers: a table of who may call which method.
//! * [`CircuitBreaker`], for clients: stops calls of a service that does not respond, for a while.
//! * `Cache`, for clients and servers, with the feature `cache`.
//!
//! # Caching
//!
//! A cache may keep a result of a method marked `#[rpc(cacheable = "30s")]` for that time. Nothing is cached without a
//! `Cache`. At a client or a broker, it saves the call. At a server, it saves the work, for all callers. Arguments are
//! compared in encoded form, so they must not contain a `HashMap` or `HashSet`, whose order differs each time. If the
//! macro cannot see one, the call fails with [`Encode`](crate::CallError::Encode).
//!
//! # How the errors of layers are reported
//!
//! | a layer fails with | the caller, if it is the client's | the caller, if it is the server's |
//! | --- | --- | --- |
//! | a [`CallError`](crate::CallError), from the call below it | that | a fault, `internal` |
//! | a [`Fault`](crate::Fault) | [`Refused`](crate::CallError::Refused) with it | the same |
//! | `Elapsed`, tower's or tokio's | [`DeadlineExceeded`](crate::CallError::DeadlineExceeded), with whether the request had been sent | a fault, `expired`, with whether the method had started |
//! | tower's `Overloaded` | a fault, `overloaded` | the same |
//! | anything else | [`Layer`](crate::CallError::Layer) with it | a fault, `internal`, without the text of the error |
//!
//! # Cost
//!
//! None without a layer. One `layer` costs a call one allocation, for a single layer or a whole
//! [`tower::ServiceBuilder`], plus the cost of the layers themselves.
//!
//! [`tower`]: https://docs.rs/tower
//! [`tower::Layer`]: https://docs.rs/tower/latest/tower/trait.Layer.html
//! [`tower::ServiceBuilder`]: https://docs.rs/tower/latest/tower/struct.ServiceBuilder.html

mod answering;
mod authorization;
#[cfg(feature = "cache")]
mod cache;
mod circuit;
mod circuit_breaker;
mod failure;
mod next;
mod request;

pub use crate::{error::LayerError, reply::Reply};

/// Any error of a layer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub use answering::Answering;
pub use authorization::{Authorization, Authorized};
#[cfg(feature = "cache")]
pub use cache::{Cache, Caching};
pub use circuit_breaker::{Breaking, CircuitBreaker, CircuitOpen};
pub(crate) use failure::{Meaning, meaning};
pub use next::{Next, NextFuture};
pub(crate) use next::{Running, panicked, reply_of};
pub use request::Request;
pub(crate) use request::{RequestMeta, Side};
