//! stub
use std::{convert::Infallible, marker::PhantomData, future::Future, pin::Pin, task::{Context, Poll}};
use crate::{broker::Broker, contract::*};
/// A call.
#[derive(Debug)]
#[must_use = "a call is sent when it is awaited, or by `send()`"]
pub struct Call<T, E = Infallible>(PhantomData<fn() -> (T, E)>);
impl<T, E> Future for Call<T, E> { type Output = Result<T, E>; fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> { todo!() } }
/// The untyped client inside each generated one.
#[derive(Debug, Clone)]
pub struct Client;
impl Client {
    /// Encodes the arguments.
    pub fn call<A: Payload, R: Reply<FALLIBLE>, const FALLIBLE: bool>(&self, _: &'static MethodDescriptor, _: Shape<R, FALLIBLE>, _: A) -> Call<R::Value, R::Error> { todo!() }
}
/// Implemented by generated clients.
pub trait Stub: Sized { /// d
 fn descriptor() -> &'static ServiceDescriptor; /// f
 fn from_client(client: Client) -> Self; }
/// Builder.
#[derive(Debug)]
pub struct ClientBuilder<C>(PhantomData<C>);
impl<C: Stub> ClientBuilder<C> { /// b
 pub fn build(self) -> C { todo!() } }
pub fn client_builder<C: Stub>(_: &Broker) -> ClientBuilder<C> { todo!() }
