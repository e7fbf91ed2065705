//! The part of a connection that its channels and its I/O task share.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::{
    channels::{Answers, Channels},
    outgoing::Outgoing,
};
use crate::{
    Blocked, ChannelHandler, ChannelWriter, CloseReason, Error,
    protocol::{Answer, Command, Tuning},
};

/// Locks are taken in one order: the channels before the outgoing frames.
pub(crate) struct Shared {
    pub(super) outgoing: Arc<Outgoing>,
    channels: Mutex<Channels>,
    blocked: watch::Sender<Blocked>,
    ended: watch::Sender<Option<Error>>,
}

impl Shared {
    pub(crate) fn new(tuning: Tuning) -> Arc<Self> {
        let outgoing = Outgoing::new(tuning.frame_max);
        Arc::new(Self {
            channels: Mutex::new(Channels::new(outgoing.clone(), tuning.channel_max)),
            outgoing,
            blocked: watch::Sender::default(),
            ended: watch::Sender::default(),
        })
    }

    pub(super) fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn channel_max(&self) -> u16 {
        self.channels().max()
    }

    /// Whether the broker takes messages.
    pub(crate) fn blocked(&self) -> &watch::Sender<Blocked> {
        &self.blocked
    }

    /// Why the connection ended, once that is so.
    pub(crate) fn ended(&self) -> watch::Receiver<Option<Error>> {
        self.ended.subscribe()
    }

    /// Reserves the number of a channel, which has still to be opened.
    pub(crate) fn reserve(&self) -> Result<Arc<ChannelWriter>, Error> {
        self.alive()?;
        self.channels().reserve()
    }

    /// Sends a method that has an answer. Answers come in the order of the methods.
    pub(crate) fn ask(
        &self,
        writer: &ChannelWriter,
        command: &Command<'_>,
    ) -> Result<Answers, Error> {
        let asked = self.channels().ask(writer, command);
        if matches!(asked, Err(Error::Closed)) {
            // The channels learn of the end of the connection a moment after it.
            self.alive()?;
        }
        asked
    }

    /// No other lock is held here: a writer that waits for this one keeps readers out.
    fn alive(&self) -> Result<(), Error> {
        let ended = self.ended.borrow().clone();
        ended.map_or(Ok(()), Err)
    }

    pub(crate) fn set_handler(&self, writer: &ChannelWriter, handler: Arc<dyn ChannelHandler>) {
        let late = self.channels().set_handler(writer, handler);
        if let Some((handler, why)) = late {
            handler.closed(why);
        }
    }

    /// Closes a channel. `None` where it has ended: then there is nothing to wait for.
    pub(crate) fn close_channel(&self, writer: &ChannelWriter) -> Option<Answers> {
        let (handler, answers) = self.channels().close(writer)?;
        if let Some(handler) = handler {
            handler.closed(Error::Closed);
        }
        Some(answers)
    }

    /// Closes the connection, after everything that is still to go out.
    pub(super) fn close(&self) {
        self.outgoing.send_last(&Command::CloseConnection);
    }

    pub(super) fn handler(&self, channel: u16) -> Option<Arc<dyn ChannelHandler>> {
        self.channels().handler(channel)
    }

    pub(super) fn answered(&self, channel: u16, answer: Answer) {
        self.channels().answered(channel, answer);
    }

    /// The broker has closed a channel.
    pub(super) fn channel_closed(&self, channel: u16, reason: CloseReason) {
        let why = Error::ChannelClosed(reason);
        let handler = self.channels().closed_by_broker(channel, &why);
        if let Some(handler) = handler {
            handler.closed(why);
        }
    }

    /// The broker agrees to the closing of a channel.
    pub(super) fn close_agreed(&self, channel: u16) {
        self.channels().close_agreed(channel);
    }

    /// The socket is gone.
    pub(super) fn end(&self, why: &Error) {
        self.ended.send_replace(Some(why.clone()));
        self.outgoing.close();
        let handlers = self.channels().end(why);
        for handler in handlers {
            handler.closed(why.clone());
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("channels", &self.channels().len()).finish_non_exhaustive()
    }
}
