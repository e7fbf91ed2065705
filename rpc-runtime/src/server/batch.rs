//! Requests that are there at once, in one task.
//!
//! To start a task and to have another thread find it costs more than a quick method does. So requests that came together
//! are begun in one task, and each that then has to wait for something goes on in a task of its own. Methods that compute
//! for long begin alone, so that threads share them.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::time::Instant;

use super::worker::{Served, Taken};
use crate::tasks;

/// The most requests that begin in one task.
const MOST: usize = 16;

/// How long a method may compute before it waits or answers, to begin together with others.
const QUICK: Duration = Duration::from_micros(10);

/// Whether the methods that ran last were quick.
#[derive(Debug)]
pub(super) struct Pace(AtomicBool);

impl Default for Pace {
    /// Nothing is known: the first begins alone.
    fn default() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Pace {
    /// How many requests may begin in one task.
    pub(super) fn most(&self) -> usize {
        if self.0.load(Ordering::Relaxed) { MOST } else { 1 }
    }

    fn note(&self, requests: u32, took: Duration) {
        let quick = took <= QUICK * requests;
        // It seldom changes, and every thread reads it.
        if quick != self.0.load(Ordering::Relaxed) {
            self.0.store(quick, Ordering::Relaxed);
        }
    }
}

/// Begins all of them, one after the other, and sees the first one through.
pub(super) async fn run(first: Taken, others: Vec<Taken>, pace: Arc<Pace>) {
    let began = Instant::now();
    let mut first = first.serve(began, true);
    let (waits, mut now) = begin(&mut first).await;
    let mut here = 1;
    for other in others {
        // Whoever is slow has held the others up for long enough.
        let mut waits = now - began > QUICK * here;
        let mut other = other.serve(now, !waits);
        if !waits {
            here += 1;
            (waits, now) = begin(&mut other).await;
        }
        if waits {
            tasks::spawn(async {
                other.await;
            });
        }
    }
    pace.note(here, now - began);
    if waits {
        first.await;
    }
}

/// Goes on with a request as far as it can at once. Says whether it has to wait, and what the clock says then: a request
/// that is answered has looked at it for that.
async fn begin(request: &mut Served) -> (bool, Instant) {
    poll_fn(|cx| {
        // As between tasks. Methods, layers and permissions cannot panic here.
        let begun = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut *request).poll(cx)));
        Poll::Ready(match begun {
            Ok(Poll::Ready(Some(answered))) => (false, answered),
            Ok(Poll::Pending) => (true, Instant::now()),
            Ok(Poll::Ready(None)) | Err(_) => (false, Instant::now()),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::sync::Barrier;

    use super::*;
    use crate::{Broker, CallError, Context, Server, rpc_service};

    #[rpc_service]
    trait Meeting {
        async fn meet(&self);
        async fn hello(&self) -> u32;
    }

    struct Room(Barrier);

    impl Meeting for Room {
        async fn meet(&self) {
            self.0.wait().await;
        }

        async fn hello(&self) -> u32 {
            7
        }
    }

    const GUESTS: usize = 5 * MOST;

    #[test]
    fn methods_that_were_quick_begin_together_and_others_alone() {
        let pace = Pace::default();
        assert_eq!(pace.most(), 1);
        pace.note(1, QUICK);
        assert_eq!(pace.most(), MOST);
        pace.note(8, 8 * QUICK);
        assert_eq!(pace.most(), MOST);
        pace.note(8, 9 * QUICK);
        assert_eq!(pace.most(), 1);
    }

    #[tokio::test]
    async fn requests_that_begin_together_wait_for_each_other() {
        let broker = Broker::serving(MeetingServer::new(Room(Barrier::new(GUESTS))));
        let client = MeetingClient::new(&broker);
        client.hello().await.unwrap();
        let met = join_all((0..GUESTS).map(|_| client.meet())).await;
        assert!(met.iter().all(Result::is_ok), "{met:?}");
    }

    #[tokio::test]
    async fn one_whose_permission_panics_is_refused_and_those_that_begin_with_it_are_answered() {
        let broker = Broker::in_memory();
        let authorize = |context: &Context| match context.header("uninvited") {
            Some(_) => panic!("nobody expected that"),
            None => Ok(()),
        };
        let room = MeetingServer::new(Room(Barrier::new(1)));
        let server = Server::builder(&broker).service(room).authorize(authorize).start();
        let server = server.await.unwrap();
        let client = MeetingClient::new(&broker);
        client.hello().await.unwrap();

        let calls = (0..GUESTS).map(|guest| match guest % 3 {
            0 => client.hello().header("uninvited", "yes"),
            _ => client.hello(),
        });
        for (guest, said) in join_all(calls).await.into_iter().enumerate() {
            match guest % 3 {
                0 => assert!(
                    matches!(&said, Err(CallError::Refused(fault)) if !fault.may_have_run()),
                    "{said:?}"
                ),
                _ => assert_eq!(said.unwrap(), 7),
            }
        }
        drop(server);
    }
}
