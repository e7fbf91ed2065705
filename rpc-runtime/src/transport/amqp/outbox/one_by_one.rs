//! Replies sent one at a time, after the channel of an outbox has ended, so that only the one that ends it is given up.

use std::{collections::VecDeque, time::Duration};

use rpc_amqp::{CloseReason, Error};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        driver::{Driver, DriverConnection},
        error,
    },
    Item,
    kept::Kept,
    refused::{self, refusal},
    sender::Sender,
    way::{NotOpened, Open, Way},
};
use crate::limits;

/// How often a reply is sent on a connection that is lost for some other reason.
const LOSSES: u32 = 3;

impl<D: Driver> Sender<D> {
    /// The channel, or the connection, has ended with these on their way; the first of them are covered by the fence.
    pub(super) async fn recover(
        &mut self,
        why: &Error,
        covers: usize,
        mut sent: VecDeque<Item>,
    ) -> Option<Open<D>> {
        let covered = sent.iter().take(covers);
        let alone = covered.filter(|item| matches!(item, Item::Reply(_))).count() == 1;
        if let (Some(refusal), true) = (refusal(why, self.way.is_own()), alone)
            && let Some(Item::Reply(kept)) = sent.pop_front()
            && let Some(instead) = self.refused(kept, refusal)
        {
            sent.push_front(Item::Reply(instead));
        }
        self.in_trouble(None, &mut sent);
        self.one_by_one(sent).await
    }

    pub(super) async fn one_by_one(&mut self, mut items: VecDeque<Item>) -> Option<Open<D>> {
        let mut open = None;
        while let Some(item) = items.pop_front() {
            let Some(Item::Reply(kept)) = self.examined(item) else { continue };
            open = self.send_alone(kept, open, &mut items).await;
        }
        if open.is_some() {
            self.load.set_troubled(false);
        }
        open
    }

    /// Sends one, and waits until the broker has dealt with it. `others` wait for their turn.
    async fn send_alone(
        &mut self,
        mut kept: Box<Kept>,
        mut open: Option<Open<D>>,
        others: &mut VecDeque<Item>,
    ) -> Option<Open<D>> {
        let mut losses = 0;
        loop {
            let is_left = self.coming.is_closed();
            if self.way.is_own() && is_late(kept.since.elapsed(), self.unreachable, is_left) {
                kept.give_up(&self.load.warned, "no connection for direct reply-to in time");
                return open;
            }
            let way = match open.take() {
                Some(way) => way,
                None => match self.open().await {
                    Ok(way) => way,
                    Err(why) => {
                        self.in_trouble(Some(&mut kept), others);
                        kept = self.unopened(kept, why)?;
                        continue;
                    }
                },
            };
            way.publish(&kept);
            match way.fence().await {
                Ok(()) => {
                    self.done(Item::Reply(kept), &way);
                    return Some(way);
                }
                Err(why) => {
                    drop(way);
                    self.in_trouble(Some(&mut kept), others);
                    if let Some(refusal) = refusal(&why, self.way.is_own()) {
                        kept = self.refused(kept, refusal)?;
                        continue;
                    }
                    losses += 1;
                    if self.way.is_own() && losses == LOSSES {
                        kept.give_up(&self.load.warned, &error::ended(why).to_string());
                        return None;
                    }
                }
            }
        }
    }

    /// Settles the requests of all replies to direct reply-to that wait: they are not held up by this connection.
    fn in_trouble(&mut self, current: Option<&mut Kept>, others: &mut VecDeque<Item>) {
        if !self.way.is_own() {
            return;
        }
        self.load.set_troubled(true);
        while let Ok(item) = self.coming.try_recv() {
            others.push_back(item);
        }
        current.into_iter().for_each(Kept::settle);
        for item in others {
            if let Item::Reply(kept) = item {
                kept.settle();
            }
        }
    }

    /// The broker has refused this one. Returns what is sent in its place.
    fn refused(&self, mut kept: Box<Kept>, refusal: &CloseReason) -> Option<Box<Kept>> {
        if !kept.replaced && refused::is_for_size(refusal) {
            self.proven.refused_size(kept.size(), refused::size_limit(refusal));
            kept.replace(&self.load.warned, &refusal.text);
            return Some(kept);
        }
        if refusal.code == refused::ACCESS_REFUSED && !self.way.is_own() {
            self.proven.forbid(Instant::now());
        }
        kept.give_up(&self.load.warned, &refusal.text);
        None
    }

    /// Nothing could be opened. Returns the reply if it is to be tried again.
    fn unopened(&self, kept: Box<Kept>, why: NotOpened) -> Option<Box<Kept>> {
        match (&self.way, why) {
            // Its request has gone back to the queue.
            (Way::Channel(connection), _) if connection.is_closed() => None,
            (Way::Channel(_), NotOpened::NoChannel) => {
                kept.send_beside_request();
                None
            }
            (Way::Connection(_), why) if kept.since.elapsed() >= limits::DIRECT_REPLY_WITHIN => {
                let reason = match &why {
                    NotOpened::NoChannel => "the connection for direct reply-to has no channel",
                    NotOpened::Failed(reason) => reason.as_str(),
                };
                kept.give_up(&self.load.warned, reason);
                None
            }
            // On the connection of requests this is an alarm: nothing goes out on another channel either.
            _ => Some(kept),
        }
    }

    /// Opens the channel, after a pause where the one before died young.
    async fn open(&mut self) -> Result<Open<D>, NotOpened> {
        let age = self.opened.map(|opened| opened.elapsed());
        self.pause = pause(age, self.pause);
        if !self.pause.is_zero() {
            sleep(self.pause).await;
        }
        self.opened = Some(Instant::now());
        let opened = self.way.open().await;
        self.unreachable = opened.is_err();
        opened
    }
}

/// Whether a reply to direct reply-to is given up without another attempt. Each attempt may take seconds, and thousands of
/// replies may wait for theirs; and once the server is gone, the task has to end.
fn is_late(waited: Duration, unreachable: bool, is_left: bool) -> bool {
    waited >= limits::DIRECT_REPLY_WITHIN && (unreachable || is_left)
}

/// The pause before a channel is opened, by the age of the one before and the pause before that.
fn pause(age: Option<Duration>, last: Duration) -> Duration {
    match age {
        Some(age) if age < limits::STABLE_AFTER => {
            (last * 2).clamp(limits::FIRST_PAUSE, limits::YOUNG_PAUSE)
        }
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_is_not_tried_again_in_vain() {
        let (soon, late) = (Duration::from_secs(1), limits::DIRECT_REPLY_WITHIN);
        assert!(is_late(late, true, false) && is_late(late, false, true));
        assert!(!is_late(late, false, false), "it has only waited for others");
        assert!(!is_late(soon, true, true));
    }

    #[test]
    fn channels_that_die_young_follow_with_pauses() {
        let young = Some(Duration::from_millis(10));
        let pauses = std::iter::successors(Some(Duration::ZERO), |last| Some(pause(young, *last)));
        let pauses: Vec<u128> = pauses.skip(1).take(6).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 500, 500]);
        assert_eq!(pause(Some(limits::STABLE_AFTER), limits::YOUNG_PAUSE), Duration::ZERO);
        assert_eq!(pause(None, limits::YOUNG_PAUSE), Duration::ZERO);
    }
}
