//! What generated code says of a method in types.
//!
//! The macro writes a marker type for each method. Whether an argument, a result or an error can travel is asked at
//! one place, the associated type in the marker's implementation; everything below takes it from there, so that rustc
//! reports a type that cannot travel once, and where its author wrote it.

use std::{any::type_name, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::{
    ArgumentDescriptor, MethodCodec, MethodDescriptor, Payload, ReturnType, signature,
    trace::{Traced, Tracer},
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
    type Output: ReturnType<FALLIBLE>;
    /// What it is.
    const DESCRIPTOR: &'static MethodDescriptor;
    /// How its servers read and write it.
    const CODEC: &'static MethodCodec<Self, FALLIBLE>;
}

/// The arguments of a method.
pub(crate) type Given<M, const FALLIBLE: bool> =
    <<M as Method<FALLIBLE>>::Arguments as Tuple>::Given;
/// What a method returns that returns `R`, apart from its error.
#[cfg(feature = "schemars")]
pub type ValueOf<R, const FALLIBLE: bool> = <R as super::Returns<FALLIBLE>>::Value;
/// The error of a method that returns `R`.
#[cfg(feature = "schemars")]
pub type ErrorOf<R, const FALLIBLE: bool> = <R as super::Returns<FALLIBLE>>::Error;

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
