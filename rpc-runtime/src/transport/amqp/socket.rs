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
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::TcpStream,
};

use super::guard::Guard;

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

    /// What makes the sockets that this shuts.
    pub(super) fn connector(&self) -> Connector {
        Connector(self.0.clone())
    }
}

/// Connects sockets.
#[derive(Debug)]
pub(super) struct Connector(Arc<Shut>);

impl Connector {
    pub(super) fn connect(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Socket>> + Send + use<> {
        let shut = self.0.clone();
        async move {
            let given_up = poll_fn(|cx| match shut.poll(&shut.reader, cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(error),
            });
            let connecting = TcpStream::connect((host, port));
            let stream = match future::select(pin!(given_up), pin!(connecting)).await {
                future::Either::Left((error, _)) => return Err(error),
                future::Either::Right((stream, _)) => stream?,
            };
            // Requests are small and somebody waits for each.
            stream.set_nodelay(true)?;
            Ok(Socket { stream, guard: Guard::default(), shut: shut.clone() })
        }
    }
}

impl Drop for Shutter {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::SeqCst);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

/// A connection to a broker, whose bytes are harmless to lapin.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    guard: Guard,
    shut: Arc<Shut>,
}

impl Socket {
    fn poll_fill(
        stream: &mut TcpStream,
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
                let bytes = ready!(Self::poll_fill(stream, cx, &mut to[..direct]))?;
                guard.went_directly(bytes);
                return Poll::Ready(Ok(bytes));
            }
            match ready!(Self::poll_fill(stream, cx, guard.space()))? {
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
