//! The task that owns the socket.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWrite},
    time::{Sleep, sleep},
};
use tracing::{debug, warn};

use super::{
    Shared,
    frame_reader::FrameReader,
    heartbeat::{Due, Heartbeat, Stall},
};
use crate::{
    Error,
    connect::{Agreed, OnStall, Stream},
    limits::CLOSE_WITHIN,
    protocol::{Command, Item, PREFIX},
};

/// How many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// How many slices are written at a time.
const PIECES: usize = 64;

/// Moves bytes between the socket and the channels, until the connection ends.
pub(super) struct IoTask {
    shared: Arc<Shared>,
    socket: Box<dyn Stream>,
    reader: FrameReader,
    came: BytesMut,
    writing: VecDeque<Item>,
    heartbeat: Option<Heartbeat>,
    /// Data waits to be written, and the tasks that are ready run first. Their frames leave in the same write.
    waited: bool,
    /// The socket may hold buffered data. A TLS socket does that.
    unflushed: bool,
    /// How long closing may take without progress, once it has begun.
    patience: Option<Pin<Box<Sleep>>>,
    ended: Option<Error>,
    on_stall: Option<OnStall>,
}

enum Wrote {
    /// There is nothing to write, or the socket is full.
    Nothing,
    Some,
    Waited,
}

impl IoTask {
    /// Takes a socket after this handshake.
    pub(super) fn new(
        socket: Box<dyn Stream>,
        agreed: Agreed,
        on_stall: Option<OnStall>,
    ) -> (Self, Arc<Shared>) {
        let shared = Shared::new(agreed.tuning);
        let frame_max = usize::try_from(agreed.tuning.frame_max).unwrap_or(usize::MAX);
        let io_task = Self {
            // Some brokers count only the payload in the frame size.
            reader: FrameReader::new(shared.clone(), frame_max.saturating_add(PREFIX + 1)),
            shared: shared.clone(),
            socket,
            came: agreed.came,
            writing: VecDeque::new(),
            heartbeat: Heartbeat::new(agreed.tuning.heartbeat),
            waited: false,
            unflushed: false,
            patience: None,
            ended: None,
            on_stall,
        };
        (io_task, shared)
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.outgoing.writer.register(cx.waker());
        // The first bytes are those that were received after the handshake.
        self.read_frames()?;
        loop {
            let read = self.read(cx)?;
            let wrote = match self.write(cx)? {
                Wrote::Nothing if self.reader.ended.is_some() && self.writing.is_empty() => {
                    let shut = Pin::new(&mut self.socket).poll_shutdown(cx);
                    return if shut.is_pending() { self.wait_for_the_end(cx) } else { shut };
                }
                Wrote::Nothing => false,
                Wrote::Some => true,
                Wrote::Waited => return Poll::Pending,
            };
            // A silent broker counts as lost only if no received data is unread.
            if !(read || wrote || self.beat(cx)?) {
                return self.wait_for_the_end(cx);
            }
        }
    }

    /// `true` if there is something to write now.
    fn beat(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.poll(cx)) {
            Some(Due::GiveUp) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the broker gives no sign of life"))
            }
            Some(Due::NoteStall) => {
                self.note_stall();
                if self.writing.is_empty() {
                    self.shared.outgoing.heartbeat();
                    return Ok(true);
                }
                Ok(false)
            }
            // Any frame counts as a sign of life, so a heartbeat is not needed.
            Some(Due::Send) if self.writing.is_empty() => {
                self.shared.outgoing.heartbeat();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reports a stall of this process, once.
    fn note_stall(&mut self) -> Option<Stall> {
        let (stall, new) = self.heartbeat.as_mut()?.stall()?;
        match &self.on_stall {
            Some(on_stall) if new => on_stall(stall),
            None if new => warn!(
                stall = ?stall.time,
                heartbeat = ?stall.heartbeat,
                "the runtime of the connection stood still: a task blocks its thread, or the process was stopped. RabbitMQ \
                 closes a connection that is silent for twice the heartbeat: do work that blocks in \
                 `tokio::task::spawn_blocking`"
            ),
            _ => {}
        }
        Some(stall)
    }

    /// Why the connection was lost, with the stall that may have caused it.
    fn explained(&mut self, error: io::Error) -> io::Error {
        match self.note_stall() {
            Some(Stall { time, heartbeat }) => io::Error::new(
                error.kind(),
                format!(
                    "{error}; before that, the runtime of this connection stood still for {time:.1?}, where the heartbeat \
                     is {heartbeat:?}: a task blocked its thread, or the process was stopped"
                ),
            ),
            None => error,
        }
    }

    /// `true` if any data was received.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.reader.ended.is_some() {
            return Ok(false);
        }
        self.came.reserve(CHUNK);
        match pin!(self.socket.read_buf(&mut self.came)).poll(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(_)) => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.received();
                }
                self.read_frames()?;
                Ok(true)
            }
        }
    }

    fn read_frames(&mut self) -> io::Result<()> {
        if self.reader.ended.is_some() {
            return Ok(());
        }
        self.reader.read(&mut self.came).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "the broker sent something that is no AMQP")
        })?;
        if let Some(Error::ConnectionClosed(_)) = &self.reader.ended {
            self.shared.outgoing.send_last(&Command::CloseConnectionOk);
        }
        Ok(())
    }

    /// There is nothing to do now. Once closing has begun, it has a time limit.
    fn wait_for_the_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reader.ended.is_none() && !self.shared.outgoing.is_leaving() {
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
            if self.shared.outgoing.is_empty() {
                return Ok(Wrote::Nothing);
            }
            // After a single received message, usually only one frame goes out, so it is not delayed.
            if self.reader.messages > 1 && !std::mem::replace(&mut self.waited, true) {
                cx.waker().wake_by_ref();
                return Ok(Wrote::Waited);
            }
            self.waited = false;
            self.reader.messages = 0;
            self.shared.outgoing.take(&mut self.writing);
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
                    heartbeat.sent();
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

impl Future for IoTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(done) = self.turn(cx) else { return Poll::Pending };
        let lost = done.err().map(|error| Error::Lost(Arc::new(self.explained(error))));
        debug!(?lost, "the socket is gone");
        // The broker's reason explains more than the error of the socket.
        self.ended = self.reader.ended.take().or(lost);
        Poll::Ready(())
    }
}

impl Drop for IoTask {
    fn drop(&mut self) {
        let why = match self.ended.take() {
            Some(why @ Error::ConnectionClosed(_)) => why,
            _ if self.shared.outgoing.is_leaving() => Error::Closed,
            Some(why) => why,
            None => {
                let error = io::Error::other("its task was stopped");
                Error::Lost(Arc::new(error))
            }
        };
        self.shared.end(&why);
    }
}

#[cfg(test)]
mod tests;
