//! Typed RPC over RabbitMQ.

// Lets the generated code, which names `::rpc_runtime`, stand in this crate's own tests.
extern crate self as rpc_runtime;

mod broker;
mod client;
mod codec;
mod contract;
mod envelope;
mod error;
mod fault;
mod limits;
mod server;
mod transport;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use broker::{Broker, BrokerBuilder};
pub use client::{Call, ClientBuilder};
pub use codec::{DecodeError, EncodeError, Encoding};
pub use contract::{ArgumentDescriptor, MethodDescriptor, Payload, ServiceDescriptor, Signature};
pub use error::{BrokerError, BrokerErrorKind, CallError, TooLarge};
pub use fault::{Fault, FaultKind};
pub use rpc_macros::rpc_service;
pub use server::{Context, Dispatch, Server, ServerBuilder, ServerStats, ShutdownError};
pub use transport::{Overflow, Queue, QueueArgument};
