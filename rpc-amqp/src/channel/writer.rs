//! What is sent on a channel, in order.

use std::sync::{Arc, OnceLock};

use crate::{
    Error,
    connection::{AckTracker, Outgoing, State, acknowledge},
    message::Message,
    protocol::{Command, Frames},
};

/// Sends messages and acknowledgements on one channel. It never waits: it appends to a shared buffer, which the
/// connection's I/O task writes to the socket.
#[derive(Debug)]
pub struct ChannelWriter {
    outgoing: Arc<Outgoing>,
    channel: u16,
    ended: OnceLock<Error>,
}

/// Nothing was sent because the channel has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel has ended")]
pub struct NotSent;

impl ChannelWriter {
    pub(crate) fn new(outgoing: Arc<Outgoing>, channel: u16) -> Self {
        Self { outgoing, channel, ended: OnceLock::new() }
    }

    pub(crate) fn channel(&self) -> u16 {
        self.channel
    }

    /// The reason why the channel has ended, if it has.
    pub(crate) fn ended(&self) -> Option<&Error> {
        self.ended.get()
    }

    /// Blocks all further frames. A frame on a channel that has ended would make the broker close the connection.
    pub(crate) fn end(&self, why: &Error) {
        let mut state = self.outgoing.lock();
        // Keep the first reason.
        let _ = self.ended.set(why.clone());
        state.forget(self.channel);
    }

    /// Closes the channel after everything sent so far, including acknowledgements. `false` if it had already ended.
    pub(crate) fn close(&self) -> bool {
        let closed = self.write(|out| {
            out.flush_acks();
            out.command(&Command::CloseChannel);
            // The lock is held, so that no frame can follow.
            let _ = self.ended.set(Error::Closed);
        });
        self.outgoing.lock().forget(self.channel);
        closed.is_ok()
    }

    /// Sends frames, all together and in this order. The closure runs under a lock that all channels of the connection
    /// share.
    ///
    /// # Errors
    ///
    /// The channel has ended, and the closure did not run.
    #[inline]
    pub fn write<T>(&self, write: impl FnOnce(&mut Batch<'_>) -> T) -> Result<T, NotSent> {
        let mut state = self.outgoing.lock();
        if state.closed || self.ended.get().is_some() {
            return Err(NotSent);
        }
        let State { frames, unacknowledged, .. } = &mut *state;
        let frame_max = self.outgoing.frame_max;
        let mut batch = Batch { frames, unacknowledged, channel: self.channel, frame_max };
        let written = write(&mut batch);
        drop(state);
        self.outgoing.writer.wake();
        Ok(written)
    }
}

/// Frames of one channel that go out together.
#[derive(Debug)]
pub struct Batch<'a> {
    frames: &'a mut Frames,
    unacknowledged: &'a mut Vec<(u16, AckTracker)>,
    channel: u16,
    frame_max: usize,
}

impl Batch<'_> {
    /// Publishes a message. A body larger than 4 KiB is not copied.
    #[inline]
    pub fn publish(&mut self, message: &Message) {
        self.frames.publish(self.channel, message, self.frame_max);
    }

    pub(crate) fn command(&mut self, command: &Command<'_>) {
        self.frames.command(self.channel, command);
    }

    /// The I/O task calls this closure when everything sent so far is written to the socket. The closure is dropped if
    /// the connection ends earlier.
    #[inline]
    pub fn when_written(&mut self, run: impl FnOnce() + Send + 'static) {
        self.frames.when_written(run);
    }

    /// Acknowledges a delivery, after everything sent so far. One `basic.ack` covers a run of deliveries.
    #[inline]
    pub fn ack(&mut self, tag: u64) {
        self.tracker().ack(tag);
    }

    /// Requeues a delivery, or rejects it. A rejected message goes to the dead-letter exchange of its queue, if there
    /// is one.
    pub fn reject(&mut self, tag: u64, requeue: bool) {
        self.tracker().reject(tag);
        self.frames.reject(self.channel, tag, requeue);
    }

    /// Writes the collected acknowledgements now, before the next frame.
    fn flush_acks(&mut self) {
        let (channel, trackers) = (self.channel, self.unacknowledged.iter_mut());
        for (_, tracker) in trackers.filter(|(known, _)| *known == channel) {
            acknowledge(self.frames, channel, tracker);
        }
    }

    fn tracker(&mut self) -> &mut AckTracker {
        let known = self.unacknowledged.iter().position(|(channel, _)| *channel == self.channel);
        let index = known.unwrap_or_else(|| {
            self.unacknowledged.push((self.channel, AckTracker::default()));
            self.unacknowledged.len() - 1
        });
        &mut self.unacknowledged[index].1
    }
}
