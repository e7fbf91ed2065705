//! Messages that the broker has yet to confirm.
//!
//! lapin hands a message that came back to the next confirmation, whichever that is, and resolves the confirmations of one
//! `basic.ack` in any order. So what came back is known only when all of them are resolved.

use std::{mem, pin::pin, sync::Arc, task::Poll};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use lapin::{Confirmation, message::BasicReturnMessage};

use super::{poll_once, writer::Numbered};

pub(super) struct Confirms {
    channel: Arc<lapin::Channel>,
    open: FuturesUnordered<Numbered>,
    /// Confirmed, and what came back with them is not known yet.
    confirmed: Vec<(u64, bool)>,
}

/// What the broker did with messages.
#[derive(Default)]
pub(super) struct Settled {
    /// They came back. To be told before the confirmations.
    pub(super) returned: Vec<BasicReturnMessage>,
    /// Their numbers, and whether they were accepted.
    pub(super) confirmed: Vec<(u64, bool)>,
    /// Why the channel ended, where that was seen.
    pub(super) failed: Option<lapin::Error>,
}

impl Confirms {
    pub(super) fn new(channel: Arc<lapin::Channel>) -> Self {
        Self { channel, open: FuturesUnordered::new(), confirmed: Vec::new() }
    }

    pub(super) fn push(&mut self, message: Numbered) {
        self.open.push(message);
    }

    /// Waits for the next that are settled; for ever if there are none. Nothing is lost when the future is dropped.
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

    /// What is settled already.
    pub(super) fn settled_now(&mut self, mut settled: Settled) -> Settled {
        self.drain(&mut settled);
        let confirmed = mem::take(&mut self.confirmed);
        // It takes the lock under which lapin resolves the confirmations of one `basic.ack`.
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
