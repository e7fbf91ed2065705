//! What generated code says of a method in types, and the generic functions that it leaves the work to.
//!
//! The macro writes a marker type for each method. That an argument, a result or an error can travel is asked at one
//! place, the associated type in the marker's implementation; everything below takes it from there, so that rustc
//! reports a type that cannot travel once, and where its author wrote it.

use std::{future::Future, marker::PhantomData, sync::Arc};

use super::{MethodDescriptor, Payload, Reply, Returns, signature};
use crate::{
    client::{Call, Client},
    server::Handler,
};

/// The argument at one place of a method.
pub trait Argument<const INDEX: usize> {
    /// Its type.
    type Type: Payload;
}

/// All arguments of a method, in order.
#[derive(Debug)]
pub struct Arguments<M, const COUNT: usize>(PhantomData<M>);

/// Arguments as the tuple that travels.
pub trait Tuple {
    /// The tuple.
    type Values: Payload;
}

/// A method, with the probe's answer about its result type.
pub trait Method<const FALLIBLE: bool>: Sized {
    /// What it takes.
    type Arguments: Tuple;
    /// What it returns.
    type Output: Reply<FALLIBLE>;
    /// What it is.
    const DESCRIPTOR: &'static MethodDescriptor;
}

/// The arguments of a method, as they travel.
type Values<M, const FALLIBLE: bool> = <<M as Method<FALLIBLE>>::Arguments as Tuple>::Values;
/// What the caller of a method gets.
type Value<M, const FALLIBLE: bool> = <<M as Method<FALLIBLE>>::Output as Returns<FALLIBLE>>::Value;
/// What the caller of a method gets instead.
type Error<M, const FALLIBLE: bool> = <<M as Method<FALLIBLE>>::Output as Returns<FALLIBLE>>::Error;

/// Makes a call of a method.
pub fn call<M: Method<FALLIBLE>, const FALLIBLE: bool>(
    client: &Client,
    _method: M,
    arguments: Values<M, FALLIBLE>,
) -> Call<Value<M, FALLIBLE>, Error<M, FALLIBLE>> {
    client.call(M::DESCRIPTOR, super::Shape::<M::Output, FALLIBLE>::HERE, arguments)
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
    F: Fn(Arc<S>, Values<M, FALLIBLE>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = M::Output> + Send + 'static,
{
    Handler::asynchronous(M::DESCRIPTOR, super::Shape::<M::Output, FALLIBLE>::HERE, service, call)
}

/// A method that is a plain `fn`, with its implementation.
pub fn blocking<M, S, F, const FALLIBLE: bool>(_method: M, service: &Arc<S>, call: F) -> Handler
where
    M: Method<FALLIBLE>,
    S: Send + Sync + 'static,
    F: Fn(&S, Values<M, FALLIBLE>) -> M::Output + Send + Sync + 'static,
{
    Handler::blocking(M::DESCRIPTOR, super::Shape::<M::Output, FALLIBLE>::HERE, service, call)
}

/// The signature of a method.
pub fn signature_of<M: Method<FALLIBLE>, const FALLIBLE: bool>(_method: M) -> u64 {
    let names: Vec<&str> = M::DESCRIPTOR.arguments.iter().map(|argument| argument.name).collect();
    signature::<Values<M, FALLIBLE>, M::Output, FALLIBLE>(&names)
}

macro_rules! tuples {
    ($($count:literal: $($index:literal)*;)*) => {$(
        impl<M> Tuple for Arguments<M, $count>
        where
            $(M: Argument<$index>,)*
        {
            type Values = ($(<M as Argument<$index>>::Type,)*);
        }
    )*};
}

tuples! {
    0:;
    1: 0;
    2: 0 1;
    3: 0 1 2;
    4: 0 1 2 3;
    5: 0 1 2 3 4;
    6: 0 1 2 3 4 5;
    7: 0 1 2 3 4 5 6;
    8: 0 1 2 3 4 5 6 7;
    9: 0 1 2 3 4 5 6 7 8;
    10: 0 1 2 3 4 5 6 7 8 9;
    11: 0 1 2 3 4 5 6 7 8 9 10;
    12: 0 1 2 3 4 5 6 7 8 9 10 11;
    13: 0 1 2 3 4 5 6 7 8 9 10 11 12;
    14: 0 1 2 3 4 5 6 7 8 9 10 11 12 13;
    15: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
    16: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15;
}
