//! What generated code names. Not part of the API: it may change with any version, which is why the macro is pinned
//! to an exact one.

pub use crate::{
    broker::Broker,
    client::{Call, Client, ClientBuilder, Stub, client_builder},
    codec::Encoding,
    contract::{
        Argument, Arguments, CallOf, Fallback, Method, MethodCodec, MethodDescriptor, Probe,
        ServiceDescriptor, Signature, argument, asynchronous, blocking, call, call_cacheable,
        signature_of,
    },
    server::{Dispatch, Handler},
};

#[cfg(feature = "schemars")]
pub use crate::contract::{ErrorOf, MethodSchemas, NoSchema, SchemaProbe, ValueOf};
