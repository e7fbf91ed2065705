//! The task that owns the socket.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, DuplexStream};
use tracing::debug;

use super::{
    super::{
        address::FRAME_MAX,
        socket::{Shut, Stream},
        wire::{HEARTBEAT_FRAME, Item, METHOD, Method, PREFIX, next_frame},
    },
    Ended, Mux,
    router::Router,
};

/// How much is read at a time, and how large the pipe to lapin is.
const CHUNK: usize = 64 * 1024;

/// How many pieces are written at a time.
const PIECES: usize = 64;

/// A larger frame was not agreed on.
const LARGEST_FRAME: usize = FRAME_MAX as usize + PREFIX + 1;

/// What lapin has not taken yet may be so much, before nothing more is read.
const LAPINS_DUE: usize = 1024 * 1024;

/// Messages pass lapin by, which would take the silence for a dead broker.
const TELL_LAPIN_EVERY: Duration = Duration::from_secs(1);

/// What lapin's stream begins with: `AMQP` and a version.
const PROTOCOL_HEADER: usize = 8;

/// Moves bytes between a socket, lapin, and everybody else, until one of the ends is gone.
pub(crate) struct Pump {
    mux: Arc<Mux>,
    shut: Arc<Shut>,
    socket: Box<dyn Stream>,
    router: Router,
    came: BytesMut,
    lapin: Lapin,
    writing: VecDeque<Item>,
    /// Something waits to be written, and everybody who was about to send goes first, so that it all leaves at once.
    waited: bool,
    /// The socket keeps something back; one with TLS does.
    unflushed: bool,
}

enum Wrote {
    /// There is nothing to write, or the socket takes nothing.
    Nothing,
    Some,
    Waited,
}

/// The pipe to lapin.
struct Lapin {
    pipe: DuplexStream,
    /// What lapin wrote, up to the end of a frame.
    wrote: BytesMut,
    /// What lapin is to read.
    due: BytesMut,
    told: Instant,
    greeted: bool,
    gone: bool,
}

impl Pump {
    /// A pump for a socket, and the end of the pipe that is lapin's.
    pub(crate) fn new(socket: Box<dyn Stream>, shut: Arc<Shut>) -> (Self, Arc<Mux>, DuplexStream) {
        let (pipe, lapins) = tokio::io::duplex(CHUNK);
        let mux = Mux::new();
        let lapin = Lapin {
            pipe,
            wrote: BytesMut::new(),
            due: BytesMut::new(),
            told: Instant::now(),
            greeted: false,
            gone: false,
        };
        let pump = Self {
            router: Router::new(mux.clone(), LARGEST_FRAME),
            mux: mux.clone(),
            shut,
            socket,
            came: BytesMut::new(),
            lapin,
            writing: VecDeque::new(),
            waited: false,
            unflushed: false,
        };
        (pump, mux, lapins)
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.mux.outgoing.writer.register(cx.waker());
        loop {
            self.shut.poll(cx)?;
            let read = self.read(cx)?;
            self.give_lapin(cx);
            let heard = self.hear_lapin(cx)?;
            let wrote = match self.write(cx)? {
                Wrote::Nothing if self.lapin.gone && self.writing.is_empty() => {
                    return Pin::new(&mut self.socket).poll_shutdown(cx);
                }
                Wrote::Nothing => false,
                Wrote::Some => true,
                Wrote::Waited => return Poll::Pending,
            };
            if !(read || heard || wrote) {
                return Poll::Pending;
            }
        }
    }

    /// Says whether anything came.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.lapin.due.len() >= LAPINS_DUE {
            return Ok(false);
        }
        self.came.reserve(CHUNK);
        match pin!(self.socket.read_buf(&mut self.came)).poll(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(_)) => {
                let passed_by = self
                    .router
                    .route(&mut self.came, &mut self.lapin.due)
                    .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                self.lapin.keep_awake(passed_by);
                Ok(true)
            }
        }
    }

    fn give_lapin(&mut self, cx: &mut Context<'_>) {
        while !self.lapin.due.is_empty() && !self.lapin.gone {
            match Pin::new(&mut self.lapin.pipe).poll_write(cx, &self.lapin.due) {
                Poll::Pending => break,
                // lapin needs no more of it.
                Poll::Ready(Err(_)) => self.lapin.due.clear(),
                Poll::Ready(Ok(written)) => self.lapin.due.advance(written),
            }
        }
    }

    /// Takes what lapin wrote, frame by frame, so that those of others can go in between.
    fn hear_lapin(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.lapin.gone {
            return Ok(false);
        }
        match pin!(self.lapin.pipe.read_buf(&mut self.lapin.wrote)).poll(cx)? {
            Poll::Pending => return Ok(false),
            Poll::Ready(0) => self.lapin.gone = true,
            Poll::Ready(_) => {}
        }
        if !self.lapin.greeted && self.lapin.wrote.len() >= PROTOCOL_HEADER {
            self.mux.outgoing.raw(&self.lapin.wrote.split_to(PROTOCOL_HEADER));
            self.lapin.greeted = true;
        }
        while self.lapin.greeted
            && let Ok(Some(frame)) = next_frame(&self.lapin.wrote, usize::MAX)
            && self.lapin.wrote.len() >= frame.size
        {
            let bytes = self.lapin.wrote.split_to(frame.size);
            let payload = bytes.get(PREFIX..frame.size - 1).unwrap_or_default();
            if frame.kind == METHOD && matches!(Method::read(payload), Some(Method::Close(_))) {
                self.mux.end(frame.channel, Ended::Closed);
            }
            self.mux.outgoing.raw(&bytes);
        }
        Ok(true)
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

impl Lapin {
    /// A heartbeat now and then, as the broker would send one if it had nothing else to say.
    fn keep_awake(&mut self, passed_by: bool) {
        if !self.due.is_empty() {
            self.told = Instant::now();
        } else if passed_by && self.told.elapsed() > TELL_LAPIN_EVERY {
            self.due.extend_from_slice(&HEARTBEAT_FRAME);
            self.told = Instant::now();
        }
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(ended) = self.turn(cx) else { return Poll::Pending };
        if let Err(error) = ended {
            debug!(%error, "the socket is gone");
        }
        Poll::Ready(())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.mux.end_all();
    }
}
