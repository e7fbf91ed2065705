//! Futures behind one type.
//!
//! What runs a task is compiled once for each type of future, and an `async fn` in every crate that awaits it. Boxed, both
//! happen once, here.

use std::pin::Pin;

use tokio::task::JoinHandle;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A future whose type nobody has to know.
pub(crate) fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

/// Starts a task.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(boxed(future))
}
