//! stub
use std::{sync::Arc, future::Future};
use crate::contract::*;
/// Implemented by generated servers.
pub trait Dispatch: Send + Sync + 'static { /// d
 fn descriptor(&self) -> &'static ServiceDescriptor; /// h
 fn handlers(&self) -> Vec<Handler>; }
/// A method with its implementation.
#[derive(Debug)]
pub struct Handler;
impl Handler {
    /// a
    pub fn asynchronous<S, A, R, F, Fut, const FALLIBLE: bool>(_method: &'static MethodDescriptor, _shape: Shape<R, FALLIBLE>, _service: &Arc<S>, _call: F) -> Self
    where S: Send + Sync + 'static, A: Payload, R: Reply<FALLIBLE> + Send + 'static, F: Fn(Arc<S>, A) -> Fut + Send + Sync + 'static, Fut: Future<Output = R> + Send + 'static { todo!() }
    /// b
    pub fn blocking<S, A, R, F, const FALLIBLE: bool>(_method: &'static MethodDescriptor, _shape: Shape<R, FALLIBLE>, _service: &Arc<S>, _call: F) -> Self
    where S: Send + Sync + 'static, A: Payload, R: Reply<FALLIBLE> + Send + 'static, F: Fn(&S, A) -> R + Send + Sync + 'static { todo!() }
}
