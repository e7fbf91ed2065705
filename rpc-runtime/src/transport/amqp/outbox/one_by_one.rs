//! Sends replies one at a time after the channel of an outbox has ended. So only the reply that ends the channel is given
//! up.

use std::{collections::VecDeque, time::Duration};

use rpc_amqp::{CloseReason, Error};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        driver::{Driver, DriverConnection},
        error,
    },
    Item,
    refused::{self, refusal},
    reply_channel::{NotOpened, Opener, ReplyChannel},
    sender::Sender,
    unconfirmed_reply::UnconfirmedReply,
};
use crate::limits;

/// How often a reply is sent if the connection is lost for reasons other than a refusal.
const LOSSES: u32 = 3;

impl<D: Driver> Sender<D> {
    /// Recovers after the channel or the connection has ended. `sent` are the items that the broker has not dealt with. If they
    /// have one reply only, a refusal is about this reply. Otherwise sending them one at a time shows which one it is: over
    /// lapin, later replies may overtake the fence.
    pub(super) async fn recover(
        &mut self,
        why: &Error,
        mut sent: VecDeque<Item>,
    ) -> Option<ReplyChannel<D>> {
        if let Some(refusal) = refusal(why, self.opener.is_own_connection())
            && let Some(reply) = only_reply(&mut sent)
            && let Some(instead) = self.refused(reply, refusal)
        {
            sent.push_front(Item::Reply(instead));
        }
        self.in_trouble(None, &mut sent);
        self.one_by_one(sent).await
    }

    pub(super) async fn one_by_one(
        &mut self,
        mut items: VecDeque<Item>,
    ) -> Option<ReplyChannel<D>> {
        let mut open = None;
        while let Some(item) = items.pop_front() {
            let Some(Item::Reply(reply)) = self.checked(item) else { continue };
            open = self.send_alone(reply, open, &mut items).await;
        }
        if open.is_some() {
            self.load.set_troubled(false);
        }
        open
    }

    /// Sends one reply, and waits until the broker has dealt with it. `others` are the items that follow.
    async fn send_alone(
        &mut self,
        mut reply: Box<UnconfirmedReply>,
        mut open: Option<ReplyChannel<D>>,
        others: &mut VecDeque<Item>,
    ) -> Option<ReplyChannel<D>> {
        let mut losses = 0;
        loop {
            let is_abandoned = self.items.is_closed();
            if self.opener.is_own_connection()
                && is_late(reply.since.elapsed(), self.unreachable, is_abandoned)
            {
                reply.give_up(&self.load.warned, "no connection for direct reply-to in time");
                return open;
            }
            let channel = match open.take() {
                Some(channel) => channel,
                None => match self.open().await {
                    Ok(channel) => channel,
                    Err(why) => {
                        self.in_trouble(Some(&mut reply), others);
                        reply = self.unopened(reply, why)?;
                        continue;
                    }
                },
            };
            channel.publish(&reply);
            match channel.fence().await {
                Ok(()) => {
                    self.done(Item::Reply(reply), &channel);
                    return Some(channel);
                }
                Err(why) => {
                    drop(channel);
                    self.in_trouble(Some(&mut reply), others);
                    if let Some(refusal) = refusal(&why, self.opener.is_own_connection()) {
                        reply = self.refused(reply, refusal)?;
                        continue;
                    }
                    losses += 1;
                    if self.opener.is_own_connection() && losses == LOSSES {
                        reply.give_up(&self.load.warned, &error::ended(why).to_string());
                        return None;
                    }
                }
            }
        }
    }

    /// Settles the requests of all waiting replies to direct reply-to, so that trouble with this connection does not delay
    /// them.
    fn in_trouble(&mut self, current: Option<&mut UnconfirmedReply>, others: &mut VecDeque<Item>) {
        if !self.opener.is_own_connection() {
            return;
        }
        self.load.set_troubled(true);
        while let Ok(item) = self.items.try_recv() {
            others.push_back(item);
        }
        current.into_iter().for_each(UnconfirmedReply::settle);
        for item in others {
            if let Item::Reply(reply) = item {
                reply.settle();
            }
        }
    }

    /// The broker has refused this reply. Returns the reply to send in its place, if there is one.
    fn refused(
        &self,
        mut reply: Box<UnconfirmedReply>,
        refusal: &CloseReason,
    ) -> Option<Box<UnconfirmedReply>> {
        if !reply.replaced && refused::is_for_size(refusal) {
            self.proven.refused_size(reply.size(), refused::size_limit(refusal));
            reply.replace(&self.load.warned, &refusal.text);
            return Some(reply);
        }
        if refusal.code == error::ACCESS_REFUSED && !self.opener.is_own_connection() {
            self.proven.forbid(Instant::now());
        }
        reply.give_up(&self.load.warned, &refusal.text);
        None
    }

    /// No channel could be opened. Returns the reply if it should be tried again.
    fn unopened(
        &self,
        reply: Box<UnconfirmedReply>,
        why: NotOpened,
    ) -> Option<Box<UnconfirmedReply>> {
        match (&self.opener, why) {
            // The request was requeued.
            (Opener::Channel(connection), _) if connection.is_closed() => None,
            (Opener::Channel(_), NotOpened::NoChannel) => {
                reply.send_beside_request();
                None
            }
            (Opener::Connection(_), why)
                if reply.since.elapsed() >= limits::DIRECT_REPLY_WITHIN =>
            {
                let reason = match &why {
                    NotOpened::NoChannel => "the connection for direct reply-to has no channel",
                    NotOpened::Failed(reason) => reason.as_str(),
                };
                reply.give_up(&self.load.warned, reason);
                None
            }
            // On the connection of the requests, the cause is an alarm, which blocks all its channels.
            _ => Some(reply),
        }
    }

    /// Opens the channel, after a pause if the last channel was short-lived.
    async fn open(&mut self) -> Result<ReplyChannel<D>, NotOpened> {
        let age = self.opened.map(|opened| opened.elapsed());
        self.pause = pause(age, self.pause);
        if !self.pause.is_zero() {
            sleep(self.pause).await;
        }
        self.opened = Some(Instant::now());
        let opened = self.opener.open().await;
        self.unreachable = opened.is_err();
        opened
    }
}

/// Whether a reply to direct reply-to is given up without another attempt. Each attempt may take seconds, and thousands of
/// replies may be waiting. Also, the task has to end after the server was dropped.
fn is_late(waited: Duration, unreachable: bool, is_abandoned: bool) -> bool {
    waited >= limits::DIRECT_REPLY_WITHIN && (unreachable || is_abandoned)
}

/// The pause before a channel is opened, from the age of the last channel and the pause before that one.
fn pause(age: Option<Duration>, last: Duration) -> Duration {
    match age {
        Some(age) if age < limits::STABLE_AFTER => {
            (last * 2).clamp(limits::FIRST_PAUSE, limits::YOUNG_PAUSE)
        }
        _ => Duration::ZERO,
    }
}

/// Takes out the reply, if there is only one.
pub(super) fn only_reply(sent: &mut VecDeque<Item>) -> Option<Box<UnconfirmedReply>> {
    let mut replies = (0..sent.len()).filter(|index| matches!(sent[*index], Item::Reply(_)));
    let (index, None) = (replies.next()?, replies.next()) else { return None };
    match sent.remove(index) {
        Some(Item::Reply(reply)) => Some(reply),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_is_not_tried_again() {
        let (soon, late) = (Duration::from_secs(1), limits::DIRECT_REPLY_WITHIN);
        assert!(is_late(late, true, false) && is_late(late, false, true));
        assert!(!is_late(late, false, false), "it has only waited for others");
        assert!(!is_late(soon, true, true));
    }

    #[test]
    fn short_lived_channels_are_reopened_with_pauses() {
        let young = Some(Duration::from_millis(10));
        let pauses = std::iter::successors(Some(Duration::ZERO), |last| Some(pause(young, *last)));
        let pauses: Vec<u128> = pauses.skip(1).take(6).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 500, 500]);
        assert_eq!(pause(Some(limits::STABLE_AFTER), limits::YOUNG_PAUSE), Duration::ZERO);
        assert_eq!(pause(None, limits::YOUNG_PAUSE), Duration::ZERO);
    }
}
