//! The channels of a connection: their numbers, their handlers, and the methods that wait for a reply.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::Shared;
use crate::{
    ChannelHandler, ChannelWriter, CloseReason, Error,
    protocol::{Answer, Command},
};

/// Receives the reply to a method.
pub(crate) type Answers = oneshot::Receiver<Result<Answer, Error>>;

pub(super) struct Channels {
    /// A map suffices, because a connection has few channels.
    used: BTreeMap<u16, Used>,
    /// The last number that was assigned.
    last: u16,
    max: u16,
}

struct Used {
    writer: Arc<ChannelWriter>,
    handler: Option<Arc<dyn ChannelHandler>>,
    /// The tasks that wait for a reply, in the order of their methods.
    waiting: VecDeque<oneshot::Sender<Result<Answer, Error>>>,
    /// Closed by this side, and not yet confirmed by the broker. Its number stays in use until then.
    closing: bool,
}

impl Used {
    fn is(&self, writer: &ChannelWriter) -> bool {
        std::ptr::eq(&raw const *self.writer, writer)
    }

    /// Ends the writer and all waiting tasks. The handler is returned, so that it can be called without a lock.
    fn end(&mut self, why: &Error) -> Option<Arc<dyn ChannelHandler>> {
        self.writer.end(why);
        for waiting in self.waiting.drain(..) {
            // The task may no longer wait. The same holds for the other sends below.
            let _ = waiting.send(Err(why.clone()));
        }
        self.handler.take()
    }
}

impl Channels {
    pub(super) fn new(max: u16) -> Self {
        Self { used: BTreeMap::new(), last: 0, max }
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }

    /// The channel of a writer, if it has not ended.
    fn of(&mut self, writer: &ChannelWriter) -> Result<&mut Used, Error> {
        if let Some(why) = writer.ended() {
            return Err(why.clone());
        }
        self.used.get_mut(&writer.channel()).filter(|used| used.is(writer)).ok_or(Error::Closed)
    }

    fn ask(&mut self, writer: &ChannelWriter, command: &Command<'_>) -> Result<Answers, Error> {
        let used = self.of(writer)?;
        writer.write(|out| out.command(command)).map_err(|_| Error::Closed)?;
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        Ok(answers)
    }

    fn answered(&mut self, channel: u16, answer: Answer) {
        let waiting = self.used.get_mut(&channel).and_then(|used| used.waiting.pop_front());
        if let Some(waiting) = waiting {
            let _ = waiting.send(Ok(answer));
        }
    }
}

/// The handlers are called without the lock.
impl Shared {
    pub(super) fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn channel_max(&self) -> u16 {
        self.channels().max
    }

    /// Reserves a channel number. The channel still has to be opened.
    pub(crate) fn reserve(&self) -> Result<Arc<ChannelWriter>, Error> {
        self.alive()?;
        let mut channels = self.channels();
        let (last, max) = (channels.last, channels.max);
        let next = |number: u16| if number >= max { 1 } else { number + 1 };
        // The number that was freed last is reused last.
        let free = std::iter::successors(Some(next(last)), |number| Some(next(*number)))
            .take(usize::from(max))
            .find(|number| !channels.used.contains_key(number));
        let number = free.ok_or(Error::NoChannel(max))?;
        channels.last = number;
        let writer = Arc::new(ChannelWriter::new(self.outgoing.clone(), number));
        let waiting = VecDeque::new();
        let used = Used { writer: writer.clone(), handler: None, waiting, closing: false };
        channels.used.insert(number, used);
        Ok(writer)
    }

    /// Sends a method that has a reply. Replies arrive in the order of the methods.
    pub(crate) fn ask(
        &self,
        writer: &ChannelWriter,
        command: &Command<'_>,
    ) -> Result<Answers, Error> {
        let asked = self.channels().ask(writer, command);
        if matches!(asked, Err(Error::Closed)) {
            // The channels end a moment later than the connection.
            self.alive()?;
        }
        asked
    }

    /// If the channel has already ended, the handler is called at once.
    pub(crate) fn set_handler(&self, writer: &ChannelWriter, handler: Arc<dyn ChannelHandler>) {
        let why = match self.channels().of(writer) {
            Ok(used) => {
                used.handler = Some(handler);
                return;
            }
            Err(why) => why,
        };
        handler.closed(why);
    }

    pub(super) fn handler(&self, channel: u16) -> Option<Arc<dyn ChannelHandler>> {
        self.channels().used.get(&channel)?.handler.clone()
    }

    pub(super) fn answered(&self, channel: u16, answer: Answer) {
        self.channels().answered(channel, answer);
    }

    /// Closes a channel. Nothing more is sent on it, and incoming frames are dropped. `None` if it has already ended,
    /// so there is nothing to wait for.
    pub(crate) fn close_channel(&self, writer: &ChannelWriter) -> Option<Answers> {
        let mut channels = self.channels();
        let used = channels.of(writer).ok()?;
        if !writer.close() {
            return None;
        }
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        used.closing = true;
        let handler = used.handler.take();
        drop(channels);
        if let Some(handler) = handler {
            handler.closed(Error::Closed);
        }
        Some(answers)
    }

    /// The broker has closed a channel. It ignores everything on it until this side confirms that.
    pub(super) fn channel_closed(&self, channel: u16, reason: CloseReason) {
        let why = Error::ChannelClosed(reason);
        let mut channels = self.channels();
        let used = channels.used.get_mut(&channel);
        let closing = used.as_ref().is_some_and(|used| used.closing);
        let handler = used.and_then(|used| used.end(&why));
        self.outgoing.command(channel, &Command::CloseChannelOk);
        if !closing {
            channels.used.remove(&channel);
        }
        drop(channels);
        if let Some(handler) = handler {
            handler.closed(why);
        }
    }

    /// The broker has confirmed that a channel is closed.
    pub(super) fn close_agreed(&self, channel: u16) {
        let mut channels = self.channels();
        channels.answered(channel, Answer::Done);
        if channels.used.get(&channel).is_some_and(|used| used.closing) {
            channels.used.remove(&channel);
        }
    }

    /// Ends all channels of a connection that has ended.
    pub(super) fn end_channels(&self, why: &Error) {
        let handlers: Vec<_> = std::mem::take(&mut self.channels().used)
            .into_values()
            .filter_map(|mut used| used.end(why))
            .collect();
        for handler in handlers {
            handler.closed(why.clone());
        }
    }
}

#[cfg(test)]
mod tests;
