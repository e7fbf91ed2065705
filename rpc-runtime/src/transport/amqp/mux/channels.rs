//! The channels of a connection: which are in use, and by whom.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::sync::oneshot;

use super::{
    super::wire::{Answer, Command},
    Answers, Ended, Route,
    outgoing::{Outgoing, Port},
};

pub(super) struct Channels {
    outgoing: Arc<Outgoing>,
    /// A connection has few.
    used: BTreeMap<u16, Used>,
    /// The number that was given out last.
    last: u16,
    most: u16,
}

struct Used {
    port: Arc<Port>,
    route: Option<Arc<dyn Route>>,
    /// Who waits for an answer, in the order of what was asked.
    waiting: VecDeque<oneshot::Sender<Result<Answer, Ended>>>,
    /// It was closed here, and the broker has not agreed yet: until then its number stays in use.
    closing: bool,
}

impl Used {
    fn is(&self, port: &Port) -> bool {
        std::ptr::eq(&raw const *self.port, port)
    }

    /// Lets nothing more out, and says so to everybody who waits. Whoever was told of messages is left to be told.
    fn end(&mut self, why: &Ended) -> Option<Arc<dyn Route>> {
        self.port.end(why);
        for waiting in self.waiting.drain(..) {
            // Who has given up needs no answer; here and below.
            let _ = waiting.send(Err(why.clone()));
        }
        self.route.take()
    }
}

impl Channels {
    pub(super) fn new(outgoing: Arc<Outgoing>, most: u16) -> Self {
        Self { outgoing, used: BTreeMap::new(), last: 0, most }
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }

    pub(super) fn most(&self) -> u16 {
        self.most
    }

    pub(super) fn reserve(&mut self) -> Result<Arc<Port>, Ended> {
        let next = |number: u16| if number >= self.most { 1 } else { number + 1 };
        // What was just closed rests the longest.
        let free = std::iter::successors(Some(next(self.last)), |number| Some(next(*number)))
            .take(usize::from(self.most))
            .find(|number| !self.used.contains_key(number));
        let number = free.ok_or(Ended::NoChannel(self.most))?;
        self.last = number;
        let port = Arc::new(Port::new(self.outgoing.clone(), number));
        let waiting = VecDeque::new();
        let used = Used { port: port.clone(), route: None, waiting, closing: false };
        self.used.insert(number, used);
        Ok(port)
    }

    /// The channel of a port, unless that has ended.
    fn of(&mut self, port: &Port) -> Result<&mut Used, Ended> {
        if let Some(why) = port.ended() {
            return Err(why.clone());
        }
        self.used.get_mut(&port.channel()).filter(|used| used.is(port)).ok_or(Ended::Closed)
    }

    pub(super) fn ask(&mut self, port: &Port, command: &Command<'_>) -> Result<Answers, Ended> {
        let used = self.of(port)?;
        port.send(|out| out.command(command)).map_err(|_| Ended::Closed)?;
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        Ok(answers)
    }

    /// Gives it back where the channel has ended.
    pub(super) fn route(
        &mut self,
        port: &Port,
        route: Arc<dyn Route>,
    ) -> Option<(Arc<dyn Route>, Ended)> {
        match self.of(port) {
            Ok(used) => {
                used.route = Some(route);
                None
            }
            Err(why) => Some((route, why)),
        }
    }

    pub(super) fn routed(&self, channel: u16) -> Option<Arc<dyn Route>> {
        self.used.get(&channel)?.route.clone()
    }

    pub(super) fn answered(&mut self, channel: u16, answer: Answer) {
        let waiting = self.used.get_mut(&channel).and_then(|used| used.waiting.pop_front());
        if let Some(waiting) = waiting {
            let _ = waiting.send(Ok(answer));
        }
    }

    /// From its closing on nothing is sent on it, and what still comes reaches nobody.
    pub(super) fn close(&mut self, port: &Port) -> Option<(Option<Arc<dyn Route>>, Answers)> {
        let used = self.of(port).ok()?;
        if !port.close() {
            return None;
        }
        let (waiting, answers) = oneshot::channel();
        used.waiting.push_back(waiting);
        used.closing = true;
        Some((used.route.take(), answers))
    }

    /// The broker has closed it, and ignores it until it has been told that this was heard.
    pub(super) fn refused(&mut self, channel: u16, why: &Ended) -> Option<Arc<dyn Route>> {
        let used = self.used.get_mut(&channel);
        let closing = used.as_ref().is_some_and(|used| used.closing);
        let route = used.and_then(|used| used.end(why));
        self.outgoing.command(channel, &Command::CloseChannelOk);
        if !closing {
            self.used.remove(&channel);
        }
        route
    }

    pub(super) fn closed(&mut self, channel: u16) {
        self.answered(channel, Answer::Done);
        if self.used.get(&channel).is_some_and(|used| used.closing) {
            self.used.remove(&channel);
        }
    }

    /// The connection is gone.
    pub(super) fn end(&mut self, why: &Ended) -> Vec<Arc<dyn Route>> {
        std::mem::take(&mut self.used).into_values().filter_map(|mut used| used.end(why)).collect()
    }
}

#[cfg(test)]
mod tests;
