//! The channels of a connection: their numbers, handlers and open questions.

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

/// Receives the answer to a method.
pub(crate) type Answers = oneshot::Receiver<Result<Answer, Error>>;

pub(super) struct Channels {
    /// A connection has few.
    used: BTreeMap<u16, Used>,
    /// The number that was given out last.
    last: u16,
    max: u16,
}

struct Used {
    writer: Arc<ChannelWriter>,
    handler: Option<Arc<dyn ChannelHandler>>,
    /// The tasks that wait for an answer, in the order of the methods.
    waiting: VecDeque<oneshot::Sender<Result<Answer, Error>>>,
    /// It was closed here, and the broker has not agreed yet: until then its number stays in use.
    closing: bool,
}

impl Used {
    fn is(&self, writer: &ChannelWriter) -> bool {
        std::ptr::eq(&raw const *self.writer, writer)
    }

    /// Lets nothing more out and answers all that wait. The handler is returned, to be called without a lock.
    fn end(&mut self, why: &Error) -> Option<Arc<dyn ChannelHandler>> {
        self.writer.end(why);
        for waiting in self.waiting.drain(..) {
            // The task may have given up; here and below.
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

    /// The channel of a writer, unless it has ended.
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

/// Handlers are called without the lock.
impl Shared {
    pub(super) fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn channel_max(&self) -> u16 {
        self.channels().max
    }

    /// Reserves the number of a channel, which has still to be opened.
    pub(crate) fn reserve(&self) -> Result<Arc<ChannelWriter>, Error> {
        self.alive()?;
        let mut channels = self.channels();
        let (last, max) = (channels.last, channels.max);
        let next = |number: u16| if number >= max { 1 } else { number + 1 };
        // The number that was closed last is used last.
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

    /// Where the channel has ended already, the handler learns that at once.
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

    /// Closes a channel: nothing more is sent on it, and what still comes is dropped. `None` where it has ended: then there is
    /// nothing to wait for.
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

    /// The broker has closed a channel, and ignores everything on it until this side has confirmed that.
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

    /// The broker agrees to the closing of a channel.
    pub(super) fn close_agreed(&self, channel: u16) {
        let mut channels = self.channels();
        channels.answered(channel, Answer::Done);
        if channels.used.get(&channel).is_some_and(|used| used.closing) {
            channels.used.remove(&channel);
        }
    }

    /// The connection is gone, and all channels with it.
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
