//! What is to go out, in order.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use atomic_waker::AtomicWaker;

use super::{
    super::wire::{Frames, Item},
    tags::Tags,
};

/// Shared by all who send and the one who writes.
#[derive(Debug)]
pub(crate) struct Outgoing {
    state: Mutex<State>,
    /// Of whoever writes.
    pub(super) writer: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    frames: Frames,
    /// What consumers have still to say of what they were sent, by channel.
    tags: Vec<(u16, Tags)>,
    /// The connection is gone.
    closed: bool,
}

/// Nothing can be sent on a channel any more.
#[derive(Debug)]
pub(crate) struct ChannelClosed;

impl Outgoing {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), writer: AtomicWaker::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // Whoever waits for something to be written learns that it never will be.
        let unwritten = std::mem::take(&mut state.frames);
        drop(state);
        drop(unwritten);
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.frames.is_empty() && !state.tags.iter().any(|(_, tags)| tags.has_unsaid())
    }

    /// Frames of lapin's.
    pub(super) fn raw(&self, frames: &[u8]) {
        self.lock().frames.raw(frames);
    }

    /// Moves everything over, acknowledgements last: one covers a whole run of answers.
    pub(super) fn take(&self, to: &mut VecDeque<Item>) {
        let mut state = self.lock();
        #[cfg(feature = "failpoints")]
        if !state.frames.is_empty() {
            // What dies between a reply and its acknowledgement dies here.
            if state.tags.iter().any(|(_, tags)| tags.has_unsaid()) {
                state.frames.when_written(|| crate::failpoint::reach("after-the-reply"));
            }
            state.frames.take(to);
            return;
        }
        let State { frames, tags, .. } = &mut *state;
        for (channel, tags) in tags {
            acknowledge(frames, *channel, tags);
        }
        frames.take(to);
    }
}

fn acknowledge(frames: &mut Frames, channel: u16, tags: &mut Tags) {
    for acknowledgement in tags.acknowledgements() {
        frames.acknowledge(channel, acknowledgement.tag, acknowledgement.multiple);
    }
}

/// The way out for one channel.
#[derive(Debug)]
pub(crate) struct Port {
    outgoing: Arc<Outgoing>,
    channel: u16,
    largest_frame: usize,
    closed: AtomicBool,
}

impl Port {
    pub(super) fn new(outgoing: Arc<Outgoing>, channel: u16, largest_frame: u32) -> Self {
        let largest_frame = usize::try_from(largest_frame).unwrap_or(usize::MAX);
        Self { outgoing, channel, largest_frame, closed: AtomicBool::new(false) }
    }

    /// Lets nothing more out: after the end of a channel, a frame for it would end the connection.
    pub(crate) fn close(&self) {
        let mut state = self.outgoing.lock();
        self.closed.store(true, Ordering::Relaxed);
        state.tags.retain(|(channel, _)| *channel != self.channel);
    }

    /// Has frames written, all of them in one go and in this order.
    pub(crate) fn send<T>(
        &self,
        write: impl FnOnce(&mut Sending<'_>) -> T,
    ) -> Result<T, ChannelClosed> {
        let mut state = self.outgoing.lock();
        if state.closed || self.closed.load(Ordering::Relaxed) {
            return Err(ChannelClosed);
        }
        let State { frames, tags, .. } = &mut *state;
        let mut sending =
            Sending { frames, tags, channel: self.channel, largest_frame: self.largest_frame };
        let written = write(&mut sending);
        drop(state);
        self.outgoing.writer.wake();
        Ok(written)
    }
}

/// Frames of one channel on their way out.
pub(crate) struct Sending<'a> {
    frames: &'a mut Frames,
    tags: &'a mut Vec<(u16, Tags)>,
    channel: u16,
    largest_frame: usize,
}

impl Sending<'_> {
    pub(crate) fn publish(&mut self, message: &crate::transport::Message) {
        self.frames.publish(self.channel, message, self.largest_frame);
    }

    /// Runs this when everything so far is on the socket.
    pub(crate) fn when_written(&mut self, run: impl FnOnce() + Send + 'static) {
        self.frames.when_written(run);
    }

    /// Acknowledges what was delivered, after everything so far.
    pub(crate) fn answered(&mut self, tag: u64) {
        self.tags().answered(tag);
    }

    /// Acknowledges now what else would be acknowledged with what follows.
    pub(crate) fn say_all(&mut self) {
        let (channel, known) = (self.channel, self.tags.iter_mut());
        for (_, tags) in known.filter(|(known, _)| *known == channel) {
            acknowledge(self.frames, channel, tags);
        }
    }

    /// Gives back what was delivered, or rejects it.
    pub(crate) fn refuse(&mut self, tag: u64, requeue: bool) {
        self.tags().refused(tag);
        self.frames.refuse(self.channel, tag, requeue);
    }

    fn tags(&mut self) -> &mut Tags {
        let known = self.tags.iter().position(|(channel, _)| *channel == self.channel);
        let index = known.unwrap_or_else(|| {
            self.tags.push((self.channel, Tags::default()));
            self.tags.len() - 1
        });
        &mut self.tags[index].1
    }
}
