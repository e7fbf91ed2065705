//! The socket: ours, and one that can be shut; lapin has the end of a pipe.
//!
//! lapin has no deadline for connecting: a peer that accepts and stays silent would keep its thread for ever, also after
//! the future that waits for it was dropped. Shutting the socket ends the thread.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use atomic_waker::AtomicWaker;
use futures_io::{AsyncRead, AsyncWrite};
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf},
    net::TcpStream,
};

use super::mux::{Mux, Pump};
use crate::{broker::Tls, error::BrokerError, tasks};

/// Ends a connection's input and output, wherever lapin is with it, when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Shutter {
    shut: Arc<Shut>,
    mux: Arc<Mutex<Option<Arc<Mux>>>>,
}

#[derive(Debug, Default)]
pub(super) struct Shut {
    done: AtomicBool,
    /// Whoever connects the socket, and then whoever moves its bytes.
    user: AtomicWaker,
}

impl Shut {
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> io::Result<()> {
        self.user.register(cx.waker());
        if self.done.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "given up"));
        }
        Ok(())
    }
}

impl Shutter {
    /// What makes the socket that this shuts, encrypted if it is said how.
    pub(super) fn connector(&self, security: Option<Security>) -> Connector {
        Connector { shut: self.shut.clone(), security, mux: self.mux.clone() }
    }

    /// The way past lapin, once there is a socket.
    pub(super) fn mux(&self) -> Option<Arc<Mux>> {
        self.mux.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Connects sockets.
pub(super) struct Connector {
    shut: Arc<Shut>,
    security: Option<Security>,
    /// The way past lapin, for the socket that was connected last.
    mux: Arc<Mutex<Option<Arc<Mux>>>>,
}

impl Connector {
    pub(super) fn connect(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Pipe>> + Send + use<> {
        let (shut, security, way) = (self.shut.clone(), self.security.clone(), self.mux.clone());
        async move {
            let given_up = poll_fn(|cx| match shut.poll(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(error),
            });
            let stream = tokio::select! {
                biased;
                error = given_up => return Err(error),
                stream = open(host, port, security) => stream?,
            };
            let (pump, mux, pipe) = Pump::new(stream, shut.clone());
            *way.lock().unwrap_or_else(PoisonError::into_inner) = Some(mux);
            tasks::spawn(pump);
            Ok(Pipe(pipe))
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
pub(super) trait Stream:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

impl Drop for Shutter {
    fn drop(&mut self) {
        self.shut.done.store(true, Ordering::SeqCst);
        self.shut.user.wake();
    }
}

/// What lapin takes for the socket.
pub(super) struct Pipe(DuplexStream);

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut to = ReadBuf::new(to);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut to))?;
        Poll::Ready(Ok(to.filled().len()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
