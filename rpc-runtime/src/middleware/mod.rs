//! Layers between a call and the wire, and between the wire and a method: [`tower`] services of [`Request`] to [`Reply`].
//!
//! A layer sees each request on its way and each reply on its way back: it may refuse, delay, repeat, answer by itself,
//! change headers or bodies, or just look. Layers are ordinary [`tower::Layer`]s over [`Next`], whatever is below them, so
//! those of [`tower`] work as they are. They are added with `layer`:
//!
//! | to | it sees |
//! | --- | --- |
//! | [`Broker`](crate::Broker::layer) | the calls of all clients made from that broker afterwards |
//! | [`ClientBuilder`](crate::ClientBuilder::layer) | the calls of that client, before those of its broker |
//! | [`ServerBuilder`](crate::ServerBuilder::layer) | the requests of all services of that server, once they have passed the checks of their envelope, and before they are decoded |
//!
//! Each wraps those that were added before it: the last one is the first to see a request. With [`tower::ServiceBuilder`]
//! it is the first one, and all of them together cost no more than one.
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
//! # Our own
//!
//! * [`Authorization`], for servers: who may call which method, as a table.
//! * [`CircuitBreaker`], for clients: makes no calls, for a while, of a service that does not answer.
//! * `Cache`, for either side, with the feature `cache`.
//!
//! # Caching
//!
//! A method marked `#[rpc(cacheable = "30s")]` may be answered by a cache for so long. Nothing is kept unless there is a
//! `Cache`: at a client, or a broker, it saves the call; at a server it saves the work, for all callers.
//! Arguments are compared as they are written, so they have no `HashMap` or `HashSet`, which are written in another order
//! each time: where the macro cannot see one, the call fails with [`Encode`](crate::CallError::Encode).
//!
//! # What the errors of layers become
//!
//! | a layer fails with | the caller, if it is the client's | the caller, if it is the server's |
//! | --- | --- | --- |
//! | a [`CallError`](crate::CallError), from the call below it | that | a fault, `internal` |
//! | a [`Fault`](crate::Fault) | [`Refused`](crate::CallError::Refused) with it | the same |
//! | `Elapsed`, tower's or tokio's | [`DeadlineExceeded`](crate::CallError::DeadlineExceeded), which says whether the request had left | a fault, `expired`, which says whether the method had started |
//! | tower's `Overloaded` | a fault, `overloaded` | the same |
//! | anything else | [`Layer`](crate::CallError::Layer) with it | a fault, `internal`, which does not say what it was |
//!
//! # Cost
//!
//! None without a layer. One `layer` costs a call one allocation, whether it is one layer or a whole
//! [`tower::ServiceBuilder`] of them, and what the layers themselves take.
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

/// The error of a layer, whatever it is.
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
