//! Items that generated code uses. They are not part of the API: they may change with any version, so the macro crate is
//! pinned to an exact version.

use crate::contract::{Given, Returns, Shape, Tuple};
pub use crate::{
    broker::Broker,
    client::{Call, Client, ClientBuilder, Stub},
    codec::Encoding,
    contract::{
        Argument, Arguments, Fallback, Method, MethodCodec, MethodDescriptor, MethodParts, Probe,
        ServiceDescriptor, ServiceParts, argument, method, service, signature_of,
    },
    server::{Dispatch, GeneratedServer, Handler, Internal, asynchronous, blocking},
};

#[cfg(feature = "schemars")]
pub use crate::contract::{ErrorOf, NoSchema, SchemaProbe, ValueOf, schemas};

/// The call of a method that returns `R`: `Call<T, E>` for a `Result<T, E>`, `Call<R>` for anything else.
pub type CallOf<R, const FALLIBLE: bool> =
    Call<<R as Returns<FALLIBLE>>::Value, <R as Returns<FALLIBLE>>::Error>;

/// Makes a call of a method.
pub fn call<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    client: &Client,
    _method: M,
    arguments: Given<M, FALLIBLE>,
) -> CallOf<M::Output, FALLIBLE> {
    let arguments = M::Arguments::carry(arguments);
    client.call(M::DESCRIPTOR, Shape::<M::Output, FALLIBLE>::HERE, arguments)
}

/// Makes a call of a method whose results may be cached. Equal arguments have to be encoded to the same bytes.
pub fn call_cacheable<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    client: &Client,
    _method: M,
    arguments: Given<M, FALLIBLE>,
) -> CallOf<M::Output, FALLIBLE> {
    let arguments = M::Arguments::carry(arguments);
    client.call_cacheable(M::DESCRIPTOR, Shape::<M::Output, FALLIBLE>::HERE, arguments)
}

/// Sets up a client of a service.
pub fn client_builder<C: Stub>(broker: &Broker) -> ClientBuilder<C> {
    ClientBuilder::new(broker.session().clone(), broker.layers())
}
