//! The frames of all channels that are to go out, in order.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use atomic_waker::AtomicWaker;

use super::ack_tracker::AckTracker;
use crate::protocol::{Command, Frames, Item};

/// Shared by the channels, which append, and the I/O task, which writes.
#[derive(Debug)]
pub(crate) struct Outgoing {
    state: Mutex<State>,
    pub(crate) frame_max: usize,
    /// The last frame is on its way.
    leaving: AtomicBool,
    /// Of the I/O task.
    pub(crate) writer: AtomicWaker,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) frames: Frames,
    /// The acknowledgements of each channel that have not been written yet.
    pub(crate) unacknowledged: Vec<(u16, AckTracker)>,
    /// Nothing more is taken: the last frame is on its way, or the connection is gone.
    pub(crate) closed: bool,
}

impl Outgoing {
    pub(super) fn new(frame_max: u32) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            frame_max: usize::try_from(frame_max).unwrap_or(usize::MAX),
            leaving: AtomicBool::new(false),
            writer: AtomicWaker::new(),
        })
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Sends the last method, after everything so far.
    pub(super) fn send_last(&self, command: &Command<'_>) {
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
        // The closures that wait for something to be written are dropped with it.
        let unwritten = std::mem::take(&mut state.frames);
        drop(state);
        drop(unwritten);
    }

    /// Sends a method that has no answer.
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
        state.frames.is_empty() && !state.has_acks()
    }

    /// Moves everything over, acknowledgements last: one covers a whole run of deliveries.
    pub(super) fn take(&self, to: &mut VecDeque<Item>) {
        let mut state = self.lock();
        #[cfg(feature = "failpoints")]
        if !state.frames.is_empty() {
            // A process that dies between a message and an acknowledgement dies here.
            if state.has_acks() {
                state.frames.when_written(|| crate::failpoint::reach("before-acknowledging"));
            }
            state.frames.take(to);
            return;
        }
        state.acknowledge_all();
        state.frames.take(to);
    }
}

impl State {
    fn has_acks(&self) -> bool {
        self.unacknowledged.iter().any(|(_, tracker)| tracker.has_acks())
    }

    fn acknowledge_all(&mut self) {
        for (channel, tracker) in &mut self.unacknowledged {
            acknowledge(&mut self.frames, *channel, tracker);
        }
    }

    /// Forgets a channel that has ended.
    pub(crate) fn forget(&mut self, channel: u16) {
        self.unacknowledged.retain(|(known, _)| *known != channel);
    }
}

pub(crate) fn acknowledge(frames: &mut Frames, channel: u16, tracker: &mut AckTracker) {
    for ack in tracker.take_acks() {
        frames.ack(channel, ack.tag, ack.multiple);
    }
}
