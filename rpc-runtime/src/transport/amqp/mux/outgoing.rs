//! What is to go out, in order.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use atomic_waker::AtomicWaker;

use super::{
    super::wire::{Command, Frames, Item},
    Ended,
    tags::Tags,
};

/// Shared by all who send and the one who writes.
#[derive(Debug)]
pub(crate) struct Outgoing {
    state: Mutex<State>,
    largest_frame: usize,
    /// The last frame is on its way.
    leaving: AtomicBool,
    /// Of whoever writes.
    pub(super) writer: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    frames: Frames,
    /// What consumers have still to say of what they were sent, by channel.
    tags: Vec<(u16, Tags)>,
    /// Nothing more is taken: the end was said, or the connection is gone.
    closed: bool,
}

/// Nothing can be sent on a channel any more.
#[derive(Debug)]
pub(crate) struct ChannelClosed;

impl Outgoing {
    pub(super) fn new(largest_frame: u32) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            largest_frame: usize::try_from(largest_frame).unwrap_or(usize::MAX),
            leaving: AtomicBool::new(false),
            writer: AtomicWaker::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Says this to the broker, after everything so far and before nothing, unless the end was said already.
    pub(super) fn say_last(&self, command: &Command<'_>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.acknowledge_all();
        state.frames.command(0, command);
        state.closed = true;
        self.leaving.store(true, Ordering::Relaxed);
        drop(state);
        self.writer.wake();
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // Whoever waits for something to be written learns that it never will be.
        let unwritten = std::mem::take(&mut state.frames);
        drop(state);
        drop(unwritten);
    }

    /// What answers the broker, and waits for nothing.
    pub(super) fn command(&self, channel: u16, command: &Command<'_>) {
        let mut state = self.lock();
        if !state.closed {
            state.frames.command(channel, command);
        }
    }

    pub(super) fn heartbeat(&self) {
        let mut state = self.lock();
        if !state.closed {
            state.frames.heartbeat();
        }
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.frames.is_empty() && !state.tags.iter().any(|(_, tags)| tags.has_unsaid())
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
        state.acknowledge_all();
        state.frames.take(to);
    }
}

impl State {
    fn acknowledge_all(&mut self) {
        for (channel, tags) in &mut self.tags {
            acknowledge(&mut self.frames, *channel, tags);
        }
    }

    fn forget(&mut self, channel: u16) {
        self.tags.retain(|(known, _)| *known != channel);
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
    ended: OnceLock<Ended>,
}

impl Port {
    pub(super) fn new(outgoing: Arc<Outgoing>, channel: u16) -> Self {
        Self { outgoing, channel, ended: OnceLock::new() }
    }

    pub(super) fn channel(&self) -> u16 {
        self.channel
    }

    /// Why nothing can be sent any more, once that is so.
    pub(super) fn ended(&self) -> Option<&Ended> {
        self.ended.get()
    }

    /// Lets nothing more out: after the end of a channel, a frame for it would end the connection.
    pub(super) fn end(&self, why: &Ended) {
        let mut state = self.outgoing.lock();
        // Whoever ended it first is right.
        let _ = self.ended.set(why.clone());
        state.forget(self.channel);
    }

    /// Has the channel closed after everything so far, acknowledgements too. `false` where that was too late.
    pub(super) fn close(&self) -> bool {
        let closed = self.send(|out| {
            out.say_all();
            out.command(&Command::CloseChannel);
            // While nobody else can send.
            let _ = self.ended.set(Ended::Closed);
        });
        self.outgoing.lock().forget(self.channel);
        closed.is_ok()
    }

    /// Has frames written, all of them in one go and in this order.
    pub(crate) fn send<T>(
        &self,
        write: impl FnOnce(&mut Sending<'_>) -> T,
    ) -> Result<T, ChannelClosed> {
        let mut state = self.outgoing.lock();
        if state.closed || self.ended.get().is_some() {
            return Err(ChannelClosed);
        }
        let State { frames, tags, .. } = &mut *state;
        let largest_frame = self.outgoing.largest_frame;
        let mut sending = Sending { frames, tags, channel: self.channel, largest_frame };
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
    pub(crate) fn publish(&mut self, message: &crate::message::Message) {
        self.frames.publish(self.channel, message, self.largest_frame);
    }

    pub(crate) fn command(&mut self, command: &Command<'_>) {
        self.frames.command(self.channel, command);
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
