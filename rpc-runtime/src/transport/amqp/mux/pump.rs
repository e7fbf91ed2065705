//! The task that owns the socket.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWrite},
    time::{Sleep, sleep},
};
use tracing::{debug, warn};

use super::{
    super::{
        CLOSE_WITHIN,
        handshake::Agreed,
        socket::Stream,
        wire::{Command, Item, PREFIX},
    },
    Ended, Mux,
    heartbeat::{Due, Heartbeat},
    router::Router,
};

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// How many pieces are written at a time.
const PIECES: usize = 64;

/// Moves bytes between a socket and everybody else, until the connection ends.
pub(crate) struct Pump {
    mux: Arc<Mux>,
    socket: Box<dyn Stream>,
    router: Router,
    came: BytesMut,
    writing: VecDeque<Item>,
    heartbeat: Option<Heartbeat>,
    /// Something waits to be written, and everybody who was about to send goes first, so that it all leaves at once.
    waited: bool,
    /// The socket keeps something back; one with TLS does.
    unflushed: bool,
    /// How long the end may take without getting on, once it has begun.
    patience: Option<Pin<Box<Sleep>>>,
    ended: Option<Ended>,
}

enum Wrote {
    /// There is nothing to write, or the socket takes nothing.
    Nothing,
    Some,
    Waited,
}

impl Pump {
    /// For a socket over which this was agreed on.
    pub(crate) fn new(socket: Box<dyn Stream>, agreed: Agreed) -> (Self, Arc<Mux>) {
        let mux = Mux::new(agreed.tuning);
        let largest = usize::try_from(agreed.tuning.largest_frame).unwrap_or(usize::MAX);
        let pump = Self {
            // Some take the size for that of the payload.
            router: Router::new(mux.clone(), largest.saturating_add(PREFIX + 1)),
            mux: mux.clone(),
            socket,
            came: agreed.came,
            writing: VecDeque::new(),
            heartbeat: Heartbeat::new(agreed.tuning.heartbeat),
            waited: false,
            unflushed: false,
            patience: None,
            ended: None,
        };
        (pump, mux)
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.mux.outgoing.writer.register(cx.waker());
        // At first, what came right behind the handshake.
        self.route()?;
        loop {
            let read = self.read(cx)?;
            let wrote = match self.write(cx)? {
                Wrote::Nothing if self.router.ended.is_some() && self.writing.is_empty() => {
                    let shut = Pin::new(&mut self.socket).poll_shutdown(cx);
                    return if shut.is_pending() { self.wait_for_the_end(cx) } else { shut };
                }
                Wrote::Nothing => false,
                Wrote::Some => true,
                Wrote::Waited => return Poll::Pending,
            };
            // Who was not heard for long is dead only if nothing waits to be read.
            if !(read || wrote || self.beat(cx)?) {
                return self.wait_for_the_end(cx);
            }
        }
    }

    /// Says whether there is something to write now.
    fn beat(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.poll(cx)) {
            Some(Due::TakeForDead) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the broker gives no sign of life"))
            }
            Some(Due::NoteStall) => {
                self.note_stall();
                if self.writing.is_empty() {
                    self.mux.outgoing.heartbeat();
                    return Ok(true);
                }
                Ok(false)
            }
            // What waits to be written is one, too.
            Some(Due::SayAlive) if self.writing.is_empty() => {
                self.mux.outgoing.heartbeat();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Writes that this process stood still, if it did, and returns for how long.
    fn note_stall(&mut self) -> Option<(Duration, Duration)> {
        let heartbeat = self.heartbeat.as_mut()?;
        let ((stall, new), interval) = (heartbeat.stall()?, heartbeat.interval());
        if new {
            warn!(
                ?stall,
                heartbeat = ?interval,
                "the runtime of the connection stood still: a method or another task blocks its thread, or the process was \
                 stopped. RabbitMQ closes a connection of which it hears nothing for twice the heartbeat, and its requests \
                 run again: mark methods that block with `#[rpc(blocking)]`, and do other work that blocks in \
                 `tokio::task::spawn_blocking`"
            );
        }
        Some((stall, interval))
    }

    /// Why the socket is gone, with what may have led to it.
    fn explained(&mut self, error: io::Error) -> io::Error {
        match self.note_stall() {
            Some((stall, interval)) => io::Error::new(
                error.kind(),
                format!(
                    "{error}; before that, the runtime of this connection stood still for {stall:.1?}, where the heartbeat \
                     is {interval:?}: a task blocked its thread, or the process was stopped"
                ),
            ),
            None => error,
        }
    }

    /// Says whether anything came.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.router.ended.is_some() {
            return Ok(false);
        }
        self.came.reserve(CHUNK);
        match pin!(self.socket.read_buf(&mut self.came)).poll(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(_)) => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.hear();
                }
                self.route()?;
                Ok(true)
            }
        }
    }

    fn route(&mut self) -> io::Result<()> {
        if self.router.ended.is_some() {
            return Ok(());
        }
        self.router.route(&mut self.came).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "the broker sent something that is no AMQP")
        })?;
        if let Some(Ended::Dismissed(_)) = &self.router.ended {
            self.mux.outgoing.say_last(&Command::CloseConnectionOk);
        }
        Ok(())
    }

    /// Nothing can be done now; an end that has begun is not waited for without end.
    fn wait_for_the_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.router.ended.is_none() && !self.mux.outgoing.is_leaving() {
            return Poll::Pending;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(CLOSE_WITHIN)));
        patience.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<Wrote> {
        if self.unflushed {
            self.unflushed = Pin::new(&mut self.socket).poll_flush(cx)?.is_pending();
        }
        if self.writing.is_empty() {
            if self.mux.outgoing.is_empty() {
                return Ok(Wrote::Nothing);
            }
            // After a single message, a single one is likely to go out.
            if self.router.messages > 1 && !std::mem::replace(&mut self.waited, true) {
                cx.waker().wake_by_ref();
                return Ok(Wrote::Waited);
            }
            self.waited = false;
            self.router.messages = 0;
            self.mux.outgoing.take(&mut self.writing);
            self.run_written();
        }
        let slices: Vec<IoSlice<'_>> = self
            .writing
            .iter()
            .map_while(|item| match item {
                Item::Bytes(bytes) => Some(IoSlice::new(bytes)),
                Item::Written(_) => None,
            })
            .take(PIECES)
            .collect();
        if slices.is_empty() {
            return Ok(Wrote::Some);
        }
        match Pin::new(&mut self.socket).poll_write_vectored(cx, &slices)? {
            Poll::Pending => Ok(Wrote::Nothing),
            Poll::Ready(0) => Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(written) => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.say();
                }
                self.patience = None;
                self.wrote(written);
                self.unflushed = Pin::new(&mut self.socket).poll_flush(cx)?.is_pending();
                Ok(Wrote::Some)
            }
        }
    }

    fn wrote(&mut self, mut written: usize) {
        while let Some(Item::Bytes(bytes)) = self.writing.front_mut() {
            if written < bytes.len() {
                bytes.advance(written);
                return;
            }
            written -= bytes.len();
            self.writing.pop_front();
        }
        self.run_written();
    }

    fn run_written(&mut self) {
        while let Some(Item::Written(_)) = self.writing.front() {
            if let Some(Item::Written(run)) = self.writing.pop_front() {
                run();
            }
        }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(done) = self.turn(cx) else { return Poll::Pending };
        let lost = done.err().map(|error| Ended::Lost(Arc::new(self.explained(error))));
        debug!(?lost, "the socket is gone");
        // What the broker said says more than how the socket ended.
        self.ended = self.router.ended.take().or(lost);
        Poll::Ready(())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let why = match self.ended.take() {
            Some(why @ Ended::Dismissed(_)) => why,
            _ if self.mux.outgoing.is_leaving() => Ended::Closed,
            Some(why) => why,
            None => {
                let error = io::Error::other("its task was stopped");
                Ended::Lost(Arc::new(error))
            }
        };
        self.mux.end(&why);
    }
}

#[cfg(test)]
mod tests;
