//! Messages that the broker has not confirmed yet.
//!
//! lapin attaches a returned message to the next confirmation, which may be that of another message. It resolves the
//! confirmations of one `basic.ack` in any order. So the returned messages are known only when all of them are resolved.

use std::{mem, pin::pin, sync::Arc, task::Poll};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use lapin::{Confirmation, message::BasicReturnMessage};

use super::{poll_once, writer::Numbered};

pub(super) struct Confirms {
    channel: Arc<lapin::Channel>,
    open: FuturesUnordered<Numbered>,
    /// Confirmed messages whose returned messages are not known yet.
    confirmed: Vec<(u64, bool)>,
}

/// The outcomes of messages.
#[derive(Default)]
pub(super) struct Settled {
    /// Returned messages. They have to be reported before the confirmations.
    pub(super) returned: Vec<BasicReturnMessage>,
    /// The numbers of confirmed messages, and whether the broker accepted each.
    pub(super) confirmed: Vec<(u64, bool)>,
    /// Why the channel ended, if a message failed because of it.
    pub(super) failed: Option<lapin::Error>,
}

impl Confirms {
    pub(super) fn new(channel: Arc<lapin::Channel>) -> Self {
        Self { channel, open: FuturesUnordered::new(), confirmed: Vec::new() }
    }

    pub(super) fn push(&mut self, message: Numbered) {
        self.open.push(message);
    }

    /// Waits for the next outcomes; forever if no message is open. Dropping the future loses nothing.
    pub(super) async fn settled(&mut self) -> Settled {
        let mut settled = Settled::default();
        if self.confirmed.is_empty() {
            match self.open.next().await {
                Some(first) => self.note(first, &mut settled),
                None => std::future::pending::<()>().await,
            }
        }
        self.settled_now(settled)
    }

    /// The outcomes that are known already.
    pub(super) fn settled_now(&mut self, mut settled: Settled) -> Settled {
        self.drain(&mut settled);
        let confirmed = mem::take(&mut self.confirmed);
        // This takes the lock that lapin holds while it resolves the confirmations of one `basic.ack`.
        if let Poll::Ready(Ok(returned)) = poll_once(pin!(self.channel.wait_for_confirms())) {
            settled.returned.extend(returned);
        }
        self.drain(&mut settled);
        settled.confirmed = confirmed;
        settled
    }

    fn drain(&mut self, settled: &mut Settled) {
        while let Some(Some(next)) = self.open.next().now_or_never() {
            self.note(next, settled);
        }
    }

    fn note(&mut self, next: (u64, lapin::Result<Confirmation>), settled: &mut Settled) {
        let (number, confirmed) = next;
        match confirmed {
            Ok(Confirmation::Ack(returned)) => {
                settled.returned.extend(returned);
                self.confirmed.push((number, true));
            }
            Ok(Confirmation::Nack(returned)) => {
                settled.returned.extend(returned);
                self.confirmed.push((number, false));
            }
            Ok(Confirmation::NotRequested) => self.confirmed.push((number, true)),
            Err(error) => {
                settled.failed.get_or_insert(error);
            }
        }
    }
}
