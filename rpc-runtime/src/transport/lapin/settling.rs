//! The task of a channel: acknowledges deliveries when their replies are on the socket, and reports the outcomes of messages.

use std::{
    collections::VecDeque, future::pending, pin::pin, sync::Arc, task::Poll, time::Duration,
};

use lapin::{
    message::BasicReturnMessage,
    options::{BasicAckOptions, BasicNackOptions, BasicQosOptions},
};
use rpc_amqp::{Ack, AckTracker, Confirmation, Error};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{
    channel::ChannelState,
    confirms::{Confirms, Settled},
    connection::News,
    message, poll_once,
    writer::{Item, LapinWriter},
};
use crate::tasks::BoxFuture;

/// lapin collects returned messages without confirms in a list, and does not announce them. The list is checked at this
/// interval, until this time after the last message.
const LOOK_FOR_RETURNS_EVERY: Duration = Duration::from_millis(20);
const LOOK_FOR_RETURNS_FOR: Duration = Duration::from_secs(1);

pub(super) struct Settling {
    channel: Arc<lapin::Channel>,
    pub(super) writer: Arc<LapinWriter>,
    pub(super) state: Arc<ChannelState>,
    pub(super) news: News,
    /// The operation that has to end before the others go on.
    pub(super) front: Option<Front>,
    pub(super) waiting: VecDeque<Item>,
    pub(super) confirms: Confirms,
    acks: AckTracker,
    /// The time of the next check for returned messages, and of the last one.
    look: Option<(Instant, Instant)>,
}

/// An operation that has to end before later items are handled.
pub(super) struct Front {
    over: BoxFuture<'static, lapin::Result<()>>,
    pub(super) then: Then,
}

pub(super) enum Then {
    GoOn,
    Answer(oneshot::Sender<Result<(), Error>>),
    /// The channel is closed.
    End(#[allow(dead_code, reason = "dropped, not read")] Option<oneshot::Sender<()>>),
}

enum Happened {
    Over(lapin::Result<()>),
    Settled(Settled),
    Filled,
    Look,
    /// The connection has ended.
    Lost,
}

impl Settling {
    pub(super) fn new(
        channel: Arc<lapin::Channel>,
        writer: Arc<LapinWriter>,
        state: Arc<ChannelState>,
        news: News,
    ) -> Self {
        let confirms = Confirms::new(channel.clone());
        Self {
            channel,
            writer,
            state,
            news,
            front: None,
            waiting: VecDeque::new(),
            confirms,
            acks: AckTracker::default(),
            look: None,
        }
    }

    /// Runs until the channel ends.
    pub(super) async fn run(mut self) {
        let mut lost = pin!(self.news.when_ended());
        let mut looks = self.news.looks();
        let closed = loop {
            let Self { front, confirms, writer, look, .. } = &mut self;
            let due = look.map(|(next, _)| next);
            let happened = tokio::select! {
                biased;
                _ = &mut lost => Happened::Lost,
                over = over(front) => Happened::Over(over),
                settled = confirms.settled() => Happened::Settled(settled),
                () = writer.filled() => Happened::Filled,
                () = due_at(due) => Happened::Look,
                _ = looks.changed() => Happened::Filled,
            };
            match happened {
                Happened::Lost => break None,
                Happened::Over(over) => match self.passed(over) {
                    Ok(None) => {}
                    Ok(Some(closed)) => break Some(closed),
                    Err(()) => break None,
                },
                Happened::Settled(settled) => self.settle(settled),
                Happened::Filled => {}
                Happened::Look => self.collect_returned(),
            }
            let taken = self.writer.take();
            self.waiting.extend(taken);
            match self.advance() {
                Ok(None) => {}
                Ok(Some(closed)) => break Some(closed),
                Err(()) => break None,
            }
            if !self.channel.status().connected() && !self.is_closing() {
                break None;
            }
        };
        self.end(closed).await;
    }

    fn is_closing(&self) -> bool {
        matches!(self.front, Some(Front { then: Then::End(_), .. }))
    }

    /// Handles all items up to the first message that is not on the socket yet.
    fn advance(&mut self) -> Result<Option<Then>, ()> {
        loop {
            if let Some(front) = &mut self.front {
                let Poll::Ready(over) = poll_once(front.over.as_mut()) else { break };
                if let Some(closed) = self.passed(over)? {
                    return Ok(Some(closed));
                }
            }
            let Some(item) = self.waiting.pop_front() else { break };
            self.deal_with(item);
        }
        self.acknowledge();
        Ok(None)
    }

    fn deal_with(&mut self, item: Item) {
        match item {
            Item::Published(published) => {
                let now = Instant::now();
                let next = self.look.map_or(now + LOOK_FOR_RETURNS_EVERY, |(next, _)| next);
                self.look = Some((next, now + LOOK_FOR_RETURNS_FOR));
                let over = Box::pin(async { published.await.map(drop) });
                self.front = Some(Front { over, then: Then::GoOn });
            }
            Item::Confirmed(message) => self.confirms.push(message),
            Item::Written(run) => run(),
            Item::Ack(tag) => self.acks.ack(tag),
            Item::Reject { tag, requeue } => {
                self.acks.reject(tag);
                let options = BasicNackOptions { requeue, multiple: false };
                let _ = poll_once(pin!(self.channel.basic_nack(tag, options)));
            }
            Item::Fence(answer) => {
                let channel = self.channel.clone();
                // It changes nothing on a channel without a consumer. The broker replies to it after everything before.
                let over = async move { channel.basic_qos(0, BasicQosOptions::default()).await };
                self.front = Some(Front { over: Box::pin(over), then: Then::Answer(answer) });
            }
            Item::Close(done) => {
                self.acknowledge();
                let channel = self.channel.clone();
                let over = async move { channel.close(200, "goodbye".into()).await };
                self.front = Some(Front { over: Box::pin(over), then: Then::End(done) });
            }
        }
    }

    /// Handles the end of the operation in front. Returns what to do at the end, if it was the last one; fails if the channel
    /// has ended.
    fn passed(&mut self, over: lapin::Result<()>) -> Result<Option<Then>, ()> {
        let Some(Front { then, .. }) = self.front.take() else { return Ok(None) };
        if let Err(error) = &over {
            self.state.note_cause(error);
        }
        match then {
            Then::End(_) => Ok(Some(then)),
            Then::GoOn => over.map(|()| None).map_err(drop),
            Then::Answer(answer) if over.is_ok() => {
                self.collect_returned();
                let _ = answer.send(Ok(()));
                Ok(None)
            }
            Then::Answer(_) => {
                self.front = Some(Front { over: Box::pin(pending()), then });
                Err(())
            }
        }
    }

    /// Acknowledges all finished deliveries. The futures are not awaited, because lapin queues the frames at once.
    fn acknowledge(&mut self) {
        if !self.acks.has_acks() {
            return;
        }
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach("before-acknowledging");
        for Ack { tag, multiple } in self.acks.take_acks() {
            let _ = poll_once(pin!(self.channel.basic_ack(tag, BasicAckOptions { multiple })));
        }
    }

    pub(super) fn settle(&self, settled: Settled) {
        if let Some(error) = &settled.failed {
            self.state.note_cause(error);
        }
        let Some(handler) = self.state.handler() else { return };
        for returned in &settled.returned {
            handler.returned(message::returned(returned));
        }
        for (number, accepted) in settled.confirmed {
            let confirmation = if accepted { Confirmation::Ack } else { Confirmation::Nack };
            handler.confirmed(number, false, confirmation);
        }
    }

    /// Reports returned messages of a channel without confirms.
    pub(super) fn collect_returned(&mut self) {
        let now = Instant::now();
        self.look = self
            .look
            .map(|(_, until)| (now + LOOK_FOR_RETURNS_EVERY, until))
            .filter(|(next, until)| next <= until);
        let waiting = self.channel.wait_for_confirms();
        if let Poll::Ready(Ok(returned)) = poll_once(pin!(waiting)) {
            self.hand_back(&returned);
        }
    }

    fn hand_back(&self, returned: &[BasicReturnMessage]) {
        let Some(handler) = self.state.handler() else { return };
        for returned in returned {
            handler.returned(message::returned(returned));
        }
    }
}

async fn over(front: &mut Option<Front>) -> lapin::Result<()> {
    match front {
        Some(front) => front.over.as_mut().await,
        None => pending().await,
    }
}

async fn due_at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
