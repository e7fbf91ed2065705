//! What generated code says of a method in types, and the generic functions that it leaves the work to.
//!
//! The macro writes a marker type for each method. Whether an argument, a result or an error can travel is asked at
//! one place, the associated type in the marker's implementation; everything below takes it from there, so that rustc
//! reports a type that cannot travel once, and where its author wrote it.

use std::{any::type_name, future::Future, marker::PhantomData, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::{
    ArgumentDescriptor, MethodCodec, MethodDescriptor, Reply, Returns, Shape, signature,
    trace::{Traced, Tracer},
};
use crate::{
    client::{Call, Client},
    contract::Payload,
    server::Handler,
};

/// The argument at one place of a method.
pub trait Argument<const INDEX: usize> {
    /// Its type.
    type Type: Travels + Send + 'static;
}

/// An argument as serde sees it.
///
/// The same as serde's two traits, but not as supertraits: rustc checks an associated type against every supertrait of
/// its bound, and would complain in serde's words about each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in an RPC message",
    label = "not serializable, not deserializable, or not owned",
    note = "arguments, results and errors need `#[derive(serde::Serialize, serde::Deserialize)]`, and have to be `Send` and own what they hold"
)]
pub trait Travels: Sized {
    #[doc(hidden)]
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    #[doc(hidden)]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Travels for T {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// Back from [`Travels`] to serde; nothing of it shows in a message.
#[derive(Debug)]
pub struct Carried<T>(T);

impl<T: Travels> Serialize for Carried<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<'de, T: Travels> Deserialize<'de> for Carried<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// All arguments of a method, in order.
#[derive(Debug)]
pub struct Arguments<M, const COUNT: usize>(PhantomData<M>);

/// Arguments as a tuple.
pub trait Tuple {
    /// The tuple of the arguments themselves.
    type Given;
    /// The tuple that travels.
    type Carried: Payload;

    /// Walks the types of the arguments, which have these names.
    #[doc(hidden)]
    fn trace(tracer: &mut Tracer, names: &'static [ArgumentDescriptor]);
    #[doc(hidden)]
    fn carry(given: Self::Given) -> Self::Carried;
    #[doc(hidden)]
    fn take(carried: Self::Carried) -> Self::Given;
}

/// A method, with the probe's answer about its result type.
pub trait Method<const FALLIBLE: bool>: Sized + 'static {
    /// What it takes.
    type Arguments: Tuple;
    /// What it returns.
    type Output: Reply<FALLIBLE>;
    /// What it is.
    const DESCRIPTOR: &'static MethodDescriptor;
    /// How its servers read and write it.
    const CODEC: &'static MethodCodec<Self, FALLIBLE>;
}

/// The arguments of a method.
pub(crate) type Given<M, const FALLIBLE: bool> =
    <<M as Method<FALLIBLE>>::Arguments as Tuple>::Given;
/// The call of a method that returns `R`: `Call<T, E>` for a `Result<T, E>`, `Call<R>` for anything else.
pub type CallOf<R, const FALLIBLE: bool> =
    Call<<R as Returns<FALLIBLE>>::Value, <R as Returns<FALLIBLE>>::Error>;

/// What a method returns that returns `R`, apart from its error.
#[cfg(feature = "schemars")]
pub type ValueOf<R, const FALLIBLE: bool> = <R as Returns<FALLIBLE>>::Value;
/// The error of a method that returns `R`.
#[cfg(feature = "schemars")]
pub type ErrorOf<R, const FALLIBLE: bool> = <R as Returns<FALLIBLE>>::Error;

/// Makes a call of a method.
pub fn call<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    client: &Client,
    _method: M,
    arguments: Given<M, FALLIBLE>,
) -> CallOf<M::Output, FALLIBLE> {
    let arguments = M::Arguments::carry(arguments);
    client.call(M::DESCRIPTOR, Shape::<M::Output, FALLIBLE>::HERE, arguments)
}

/// The same for a method whose results may be kept, so that its arguments have to be written the same way each time.
pub fn call_cacheable<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    client: &Client,
    _method: M,
    arguments: Given<M, FALLIBLE>,
) -> CallOf<M::Output, FALLIBLE> {
    let arguments = M::Arguments::carry(arguments);
    client.call_cacheable(M::DESCRIPTOR, Shape::<M::Output, FALLIBLE>::HERE, arguments)
}

/// A method that is an `async fn`, with its implementation.
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

/// A method that is a plain `fn`, with its implementation.
pub fn blocking<M, S, F, const FALLIBLE: bool>(_method: M, service: &Arc<S>, call: F) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(&S, Given<M, FALLIBLE>) -> M::Output + Clone + Send + Sync + 'static,
{
    Handler::blocking::<M, S, F, FALLIBLE>(service, call)
}

/// An argument in a descriptor.
pub const fn argument(name: &'static str, ty: &'static str) -> ArgumentDescriptor {
    ArgumentDescriptor { name, ty }
}

/// The signature of a method.
pub fn signature_of<M: Method<FALLIBLE>, const FALLIBLE: bool>(_method: M) -> Traced {
    signature::<M::Arguments, M::Output, FALLIBLE>(M::DESCRIPTOR.arguments)
}

macro_rules! tuples {
    ($($count:literal: $($index:literal $name:ident)*;)*) => {$(
        impl<M> Tuple for Arguments<M, $count>
        where
            $(M: Argument<$index>,)*
        {
            type Given = ($(<M as Argument<$index>>::Type,)*);
            type Carried = ($(Carried<<M as Argument<$index>>::Type>,)*);

            #[allow(unused_variables, reason = "of no arguments")]
            fn trace(tracer: &mut Tracer, names: &'static [ArgumentDescriptor]) {
                $(tracer.trace_as::<Carried<<M as Argument<$index>>::Type>>(
                    names.get($index).map_or("", |argument| argument.name),
                    type_name::<<M as Argument<$index>>::Type>(),
                );)*
            }

            #[allow(clippy::unused_unit, reason = "of no arguments")]
            fn carry(($($name,)*): Self::Given) -> Self::Carried {
                ($(Carried($name),)*)
            }

            #[allow(clippy::unused_unit, reason = "of no arguments")]
            fn take(($($name,)*): Self::Carried) -> Self::Given {
                ($($name.0,)*)
            }
        }
    )*};
}

tuples! {
    0:;
    1: 0 a;
    2: 0 a 1 b;
    3: 0 a 1 b 2 c;
    4: 0 a 1 b 2 c 3 d;
    5: 0 a 1 b 2 c 3 d 4 e;
    6: 0 a 1 b 2 c 3 d 4 e 5 f;
    7: 0 a 1 b 2 c 3 d 4 e 5 f 6 g;
    8: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h;
    9: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i;
    10: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j;
    11: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k;
    12: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l;
    13: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 m;
    14: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 m 13 n;
    15: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 m 13 n 14 o;
    16: 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 m 13 n 14 o 15 p;
}
