//! The channels of a connection: their numbers, handlers and open questions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::sync::oneshot;

use super::outgoing::Outgoing;
use crate::{
    ChannelHandler, ChannelWriter, Error,
    protocol::{Answer, Command},
};

/// Receives the answer to a method.
pub(crate) type Answers = oneshot::Receiver<Result<Answer, Error>>;

pub(super) struct Channels {
    outgoing: Arc<Outgoing>,
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
    pub(super) fn new(outgoing: Arc<Outgoing>, max: u16) -> Self {
        Self { outgoing, used: BTreeMap::new(), last: 0, max }
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }

    pub(super) fn max(&self) -> u16 {
        self.max
    }

    pub(super) fn reserve(&mut self) -> Result<Arc<ChannelWriter>, Error> {
        let next = |number: u16| if number >= self.max { 1 } else { number + 1 };
        // The number that was closed last is used last.
        let free = std::iter::successors(Some(next(self.last)), |number| Some(next(*number)))
            .take(usize::from(self.max))
            .find(|number| !self.used.contains_key(number));
        let number = free.ok_or(Error::NoChannel(self.max))?;
        self.last = number;
        let writer = Arc::new(ChannelWriter::new(self.outgoing.clone(), number));
        let waiting = VecDeque::new();
        let used = Used { writer: writer.clone(), handler: None, waiting, closing: false };
        self.used.insert(number, used);
        Ok(writer)
    }

    /// The channel of a writer, unless it has ended.
    fn of(&mut self, writer: &ChannelWriter) -> Result<&mut Used, Error> {
        if let Some(why) = writer.ended() {
            return Err(why.clone());
        }
        self.used.get_mut(&writer.channel()).filter(|used| used.is(writer)).ok_or(Error::Closed)
    }

    pub(super) fn ask(
        &mut self,
        writer: &ChannelWriter,
        command: &Command<'_>,
    ) -> Result<Answers, Error> {
        let used = self.of(writer)?;
        writer.write(|out| out.command(command)).map_err(|_| Error::Closed)?;
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        Ok(answers)
    }

    /// Gives the handler back where the channel has ended.
    pub(super) fn set_handler(
        &mut self,
        writer: &ChannelWriter,
        handler: Arc<dyn ChannelHandler>,
    ) -> Option<(Arc<dyn ChannelHandler>, Error)> {
        match self.of(writer) {
            Ok(used) => {
                used.handler = Some(handler);
                None
            }
            Err(why) => Some((handler, why)),
        }
    }

    pub(super) fn handler(&self, channel: u16) -> Option<Arc<dyn ChannelHandler>> {
        self.used.get(&channel)?.handler.clone()
    }

    pub(super) fn answered(&mut self, channel: u16, answer: Answer) {
        let waiting = self.used.get_mut(&channel).and_then(|used| used.waiting.pop_front());
        if let Some(waiting) = waiting {
            let _ = waiting.send(Ok(answer));
        }
    }

    /// From its closing on nothing is sent on it, and what still comes is dropped.
    pub(super) fn close(
        &mut self,
        writer: &ChannelWriter,
    ) -> Option<(Option<Arc<dyn ChannelHandler>>, Answers)> {
        let used = self.of(writer).ok()?;
        if !writer.close() {
            return None;
        }
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        used.closing = true;
        Some((used.handler.take(), answers))
    }

    /// The broker has closed it, and ignores everything on it until this side has confirmed that.
    pub(super) fn closed_by_broker(
        &mut self,
        channel: u16,
        why: &Error,
    ) -> Option<Arc<dyn ChannelHandler>> {
        let used = self.used.get_mut(&channel);
        let closing = used.as_ref().is_some_and(|used| used.closing);
        let handler = used.and_then(|used| used.end(why));
        self.outgoing.command(channel, &Command::CloseChannelOk);
        if !closing {
            self.used.remove(&channel);
        }
        handler
    }

    /// The broker agrees to the closing of a channel.
    pub(super) fn close_agreed(&mut self, channel: u16) {
        self.answered(channel, Answer::Done);
        if self.used.get(&channel).is_some_and(|used| used.closing) {
            self.used.remove(&channel);
        }
    }

    /// The connection is gone.
    pub(super) fn end(&mut self, why: &Error) -> Vec<Arc<dyn ChannelHandler>> {
        std::mem::take(&mut self.used).into_values().filter_map(|mut used| used.end(why)).collect()
    }
}

#[cfg(test)]
mod tests;
