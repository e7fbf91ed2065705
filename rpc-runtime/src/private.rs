//! What generated code names. Not part of the API: it may change with any version, which is why the macro is pinned
//! to an exact one.

pub use crate::{
    broker::Broker,
    client::{Call, Client, ClientBuilder, Stub, client_builder},
    codec::Encoding,
    contract::{
        ArgumentDescriptor, Fallback, MethodDescriptor, Payload, Probe, Reply, Returns,
        ServiceDescriptor, Shape, Signature, signature,
    },
    server::{Dispatch, Handler},
};

/// Fails to compile, at the type itself, for one that cannot travel.
pub const fn assert_payload<T: Payload>() {}
