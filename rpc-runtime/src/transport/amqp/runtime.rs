//! tokio as lapin sees it, with the end of our pipe in the place of a socket.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use async_rs::{
    Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use futures_core::Stream;
use futures_io::{AsyncRead, AsyncWrite};

use super::socket::{Pipe, Shutter};
use crate::tasks::boxed;

/// tokio, whose sockets are pipes.
#[derive(Debug, Clone)]
pub(super) struct Piped(Tokio);

impl Piped {
    /// The runtime that this is called in.
    pub(super) fn current() -> async_rs::Runtime<Self> {
        async_rs::Runtime::new(Self(Tokio::current()))
    }
}

impl RuntimeKit for Piped {}

impl Executor for Piped {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn(boxed(future))
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        run: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(run)
    }
}

impl Reactor for Piped {
    type TcpStream = Pipe;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        // For sockets that others opened, of which there are none.
        Err::<Pipe, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        // lapin connects by the closure that it is given, which does not come here.
        Shutter::default().connector(None).connect(address.ip().to_string(), address.port())
    }
}
