//! The socket under lapin: guarded, and one that can be shut.
//!
//! lapin has no deadline for connecting: a peer that accepts and stays silent would keep its thread for ever, also after
//! the future that waits for it was dropped. So the socket is ours, and shutting it ends the thread.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_util::{future, io::AsyncRead, io::AsyncWrite, task::AtomicWaker};
use tokio::{
    io::{AsyncWrite as _, ReadBuf},
    net::TcpStream,
};

use super::guard::Guard;
use crate::{broker::Tls, error::BrokerError};

/// Ends a connection's input and output, wherever lapin is with it, when it is dropped.
#[derive(Debug)]
pub(super) struct Shutter(Arc<Shut>);

#[derive(Debug, Default)]
struct Shut {
    done: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Shut {
    fn poll(&self, waker: &AtomicWaker, cx: &mut Context<'_>) -> io::Result<()> {
        waker.register(cx.waker());
        if self.done.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "given up"));
        }
        Ok(())
    }
}

impl Shutter {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// What makes the sockets that this shuts, encrypted if it is said how.
    pub(super) fn connector(&self, security: Option<Security>) -> Connector {
        Connector { shut: self.0.clone(), security }
    }
}

/// Connects sockets.
pub(super) struct Connector {
    shut: Arc<Shut>,
    security: Option<Security>,
}

impl Connector {
    pub(super) fn connect(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Socket>> + Send + use<> {
        let (shut, security) = (self.shut.clone(), self.security.clone());
        async move {
            let given_up = poll_fn(|cx| match shut.poll(&shut.reader, cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(error),
            });
            let connecting = open(host, port, security);
            let stream = match future::select(pin!(given_up), pin!(connecting)).await {
                future::Either::Left((error, _)) => return Err(error),
                future::Either::Right((stream, _)) => stream?,
            };
            Ok(Socket { stream, guard: Guard::default(), shut: shut.clone() })
        }
    }
}

async fn open(host: String, port: u16, security: Option<Security>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    // Requests are small and somebody waits for each.
    stream.set_nodelay(true)?;
    match security {
        None => Ok(Box::new(stream)),
        Some(security) => security.connect(host, stream).await,
    }
}

/// How sockets are encrypted; nothing can be, unless this was built with TLS.
#[derive(Clone)]
pub(super) struct Security {
    #[cfg(feature = "tls")]
    handshake: Option<super::tls::Handshake>,
}

impl Security {
    #[cfg(feature = "tls")]
    pub(super) fn new(tls: Option<&Tls>) -> Result<Self, BrokerError> {
        Ok(Self { handshake: tls.map(super::tls::Handshake::new).transpose()? })
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
    pub(super) fn new(_: Option<&Tls>) -> Result<Self, BrokerError> {
        Ok(Self {})
    }

    #[cfg(feature = "tls")]
    async fn connect(&self, host: String, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        match &self.handshake {
            Some(handshake) => Ok(Box::new(handshake.connect(host, stream).await?)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_async, reason = "with TLS it waits")]
    async fn connect(&self, _: String, _: TcpStream) -> io::Result<Box<dyn Stream>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Bytes to and from a broker.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

impl Drop for Shutter {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::SeqCst);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

/// A connection to a broker, whose bytes are harmless to lapin.
pub(super) struct Socket {
    stream: Box<dyn Stream>,
    guard: Guard,
    shut: Arc<Shut>,
}

impl Socket {
    fn poll_fill(
        stream: &mut dyn Stream,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut to = ReadBuf::new(to);
        ready!(Pin::new(stream).poll_read(cx, &mut to))?;
        Poll::Ready(Ok(to.filled().len()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, guard, shut } = &mut *self;
        shut.poll(&shut.reader, cx)?;
        loop {
            let taken = guard.take(to);
            if taken > 0 || to.is_empty() {
                return Poll::Ready(Ok(taken));
            }
            let direct = guard.direct().min(to.len());
            if direct > 0 {
                let bytes = ready!(Self::poll_fill(&mut **stream, cx, &mut to[..direct]))?;
                guard.went_directly(bytes);
                return Poll::Ready(Ok(bytes));
            }
            match ready!(Self::poll_fill(&mut **stream, cx, guard.space()))? {
                0 => return Poll::Ready(Ok(0)),
                bytes => guard.filled(bytes),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.shut.poll(&self.shut.writer, cx)?;
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shut.poll(&self.shut.writer, cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
