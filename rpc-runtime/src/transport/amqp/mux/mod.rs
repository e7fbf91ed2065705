//! One connection, shared: everything that goes out, and whoever is told of what comes in.
//!
//! [`Pump`] owns the socket. What is to go out is appended to one buffer, in order, and goes out in as few writes as there
//! can be; what comes in is told to the [`Route`] of its channel, or to whoever waits for an answer. So an acknowledgement
//! never overtakes its reply, and a message that came back is told before its confirmation.

mod channels;
mod heartbeat;
#[cfg(any(test, fuzzing))]
mod oracle;
mod outgoing;
mod pump;
mod router;
mod tags;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{oneshot, watch};

#[cfg(fuzzing)]
pub(crate) use oracle::check;
pub(super) use outgoing::Port;
pub(super) use pump::Pump;

use self::{channels::Channels, outgoing::Outgoing};
use super::wire::{Answer, Command, Refusal, Tuning};
use crate::{
    limits,
    message::{Delivery, Properties},
    transport::Blocked,
};

/// What becomes of the messages of a channel. It is told while the socket waits: nothing here may block.
pub(super) trait Route: Send + Sync {
    /// A message for the consumer of the channel.
    fn delivered(&self, _: Delivery) {}

    /// A message for the consumer of the channel, with a header of so many bytes: too many to be read.
    fn unreadable(&self, _tag: u64, _size: usize) {}

    /// The largest body that is kept; of a larger one only the size is known. Up to a megabyte, it is not asked for.
    fn most_body(&self) -> usize {
        limits::MAX_REPLY
    }

    /// The broker has ended the consumer of the channel.
    fn cancelled(&self) {}

    /// A message that was published has come back.
    fn returned(&self, _: Properties) {}

    /// Messages that were published have been taken, or not: this one, or all up to it.
    fn confirmed(&self, _tag: u64, _multiple: bool, _accepted: bool) {}

    /// Nothing more comes, and nothing can be sent.
    fn ended(&self, _: Ended) {}
}

/// Why a channel or a connection ended.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The broker closed the channel.
    Refused(Refusal),
    /// The broker closed the connection.
    Dismissed(Refusal),
    /// It was closed by this side.
    Closed,
    /// As many channels as there may be are in use.
    NoChannel(u16),
    /// The connection went.
    Lost(Arc<io::Error>),
}

impl Ended {
    /// The broker answered something that was not asked.
    pub(super) fn out_of_turn() -> Self {
        let error = io::Error::new(io::ErrorKind::InvalidData, "the broker spoke out of turn");
        Self::Lost(Arc::new(error))
    }
}

/// What an answer comes by.
pub(super) type Answers = oneshot::Receiver<Result<Answer, Ended>>;

/// The inside of a connection. Whoever locks both locks the channels before what goes out.
pub(super) struct Mux {
    outgoing: Arc<Outgoing>,
    channels: Mutex<Channels>,
    blocked: watch::Sender<Blocked>,
    ended: watch::Sender<Option<Ended>>,
}

impl Mux {
    /// For a connection that was tuned like this.
    pub(super) fn new(tuning: Tuning) -> Arc<Self> {
        let outgoing = Outgoing::new(tuning.largest_frame);
        Arc::new(Self {
            channels: Mutex::new(Channels::new(outgoing.clone(), tuning.channels)),
            outgoing,
            blocked: watch::Sender::default(),
            ended: watch::Sender::default(),
        })
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many channels there may be.
    pub(super) fn most_channels(&self) -> u16 {
        self.channels().most()
    }

    /// Whether the broker takes messages.
    pub(super) fn blocked(&self) -> &watch::Sender<Blocked> {
        &self.blocked
    }

    /// Why the connection ended, once that is so.
    pub(super) fn ended(&self) -> watch::Receiver<Option<Ended>> {
        self.ended.subscribe()
    }

    /// A channel that nobody uses, which has still to be opened.
    pub(super) fn reserve(&self) -> Result<Arc<Port>, Ended> {
        self.alive()?;
        self.channels().reserve()
    }

    /// Asks something of the broker on a channel. What is asked first is answered first.
    pub(super) fn ask(&self, port: &Port, command: &Command<'_>) -> Result<Answers, Ended> {
        let asked = self.channels().ask(port, command);
        if matches!(asked, Err(Ended::Closed)) {
            // Of the end of the connection its channels hear a moment later.
            self.alive()?;
        }
        asked
    }

    /// Nothing is locked when this is asked: whoever waits to change it keeps others from looking.
    fn alive(&self) -> Result<(), Ended> {
        let ended = self.ended.borrow().clone();
        ended.map_or(Ok(()), Err)
    }

    /// Has this told of the messages of a channel from now on.
    pub(super) fn route(&self, port: &Port, route: Arc<dyn Route>) {
        let late = self.channels().route(port, route);
        if let Some((route, why)) = late {
            route.ended(why);
        }
    }

    /// Closes a channel, unless it has ended: then there is nothing to wait for.
    pub(super) fn close(&self, port: &Port) -> Option<Answers> {
        let (route, answers) = self.channels().close(port)?;
        if let Some(route) = route {
            route.ended(Ended::Closed);
        }
        Some(answers)
    }

    /// Closes the connection, once what is still to go out has gone.
    pub(super) fn say_goodbye(&self) {
        self.outgoing.say_last(&Command::CloseConnection);
    }

    fn routed(&self, channel: u16) -> Option<Arc<dyn Route>> {
        self.channels().routed(channel)
    }

    fn answered(&self, channel: u16, answer: Answer) {
        self.channels().answered(channel, answer);
    }

    /// The broker has closed a channel.
    fn refused(&self, channel: u16, refusal: Refusal) {
        let why = Ended::Refused(refusal);
        let route = self.channels().refused(channel, &why);
        if let Some(route) = route {
            route.ended(why);
        }
    }

    /// The broker agrees to the closing of a channel.
    fn closed(&self, channel: u16) {
        self.channels().closed(channel);
    }

    /// The socket is gone.
    fn end(&self, why: &Ended) {
        self.ended.send_replace(Some(why.clone()));
        self.outgoing.close();
        let routes = self.channels().end(why);
        for route in routes {
            route.ended(why.clone());
        }
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("channels", &self.channels().len()).finish_non_exhaustive()
    }
}
