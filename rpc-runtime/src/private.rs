//! Items that generated code uses. They are not part of the API: they may change with any version, so the macro crate is
//! pinned to an exact version.

use std::{future::Future, sync::Arc};

use crate::contract::{Given, Returns, Shape, Tuple};
pub use crate::{
    broker::Broker,
    client::{Call, Client, ClientBuilder, Stub},
    codec::Encoding,
    contract::{
        Argument, Arguments, Fallback, Method, MethodCodec, MethodDescriptor, Probe,
        ServiceDescriptor, Signature, argument, signature_of,
    },
    server::{Dispatch, Handler},
};

#[cfg(feature = "schemars")]
pub use crate::contract::{ErrorOf, MethodSchemas, NoSchema, SchemaProbe, ValueOf};

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

/// Makes the handler of a method that is an `async fn`.
pub fn asynchronous<M, S, F, Fut, const FALLIBLE: bool>(
    _method: M,
    service: &Arc<S>,
    call: F,
) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Given<M, FALLIBLE>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = M::Output> + Send + 'static,
{
    Handler::asynchronous::<M, S, F, Fut, FALLIBLE>(service, call)
}

/// Makes the handler of a method that is a plain `fn`.
pub fn blocking<M, S, F, const FALLIBLE: bool>(_method: M, service: &Arc<S>, call: F) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(&S, Given<M, FALLIBLE>) -> M::Output + Clone + Send + Sync + 'static,
{
    Handler::blocking::<M, S, F, FALLIBLE>(service, call)
}

/// Sets up a client of a service.
pub fn client_builder<C: Stub>(broker: &Broker) -> ClientBuilder<C> {
    ClientBuilder::new(broker.session().clone(), broker.layers())
}
