use std::{future::pending as never, time::Duration};

use smol_str::SmolStr;
use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;

use super::*;
use crate::{
    client::{CallGuard, Outcome},
    message::Message,
    transport::{BoxFuture, CallerSink, ChannelGone, PublishOutcome},
};

/// A channel that ends and rejects when it is told to; those that take its place are like it.
#[derive(Default)]
struct Scripted {
    end: Arc<Notify>,
    reject: Arc<Notify>,
    /// It ends after a moment, and so do those that take its place.
    dies: bool,
}

fn when(told: &Arc<Notify>) -> BoxFuture<'static, ()> {
    let told = told.clone();
    Box::pin(async move { told.notified().await })
}

impl CallerChannel for Scripted {
    fn callback_queue(&self) -> &SmolStr {
        const { &SmolStr::new_static("replies") }
    }

    fn announced_user(&self) -> Option<&SmolStr> {
        None
    }

    fn publish(&self, _: Uuid, _: Message) -> Result<(), ChannelGone> {
        Ok(())
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        Box::pin(never())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        let (end, dies) = (when(&self.end), self.dies);
        Box::pin(async move {
            if dies {
                sleep(Duration::from_millis(1)).await;
            } else {
                end.await;
            }
            BrokerError::new(BrokerErrorKind::Closed, "ended")
        })
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        when(&self.reject)
    }

    fn reopen(&self) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async {
            let another: Arc<dyn CallerChannel> =
                Arc::new(Self { dies: self.dies, ..Self::default() });
            Ok(another)
        })
    }
}

fn enter(in_flight: &Arc<InFlight>, channel: u64) -> CallGuard<'_> {
    let deadline = Instant::now() + Duration::from_secs(60);
    in_flight.enter(Uuid::new_v4(), channel, false, deadline).unwrap()
}

struct Kept {
    states: watch::Receiver<State>,
    in_flight: Arc<InFlight>,
    _task: JoinSet<()>,
}

fn keep(channel: Scripted) -> Kept {
    let Callers { shared, .. } = Callers::new(CallerOptions::default(), 10);
    let (states, in_flight) = (shared.state.subscribe(), shared.in_flight.clone());
    let mut task = JoinSet::new();
    task.spawn(async move {
        shared.keep_open(Arc::new(channel)).await;
    });
    Kept { states, in_flight, _task: task }
}

impl Kept {
    async fn wait_for_channel(&mut self, number: u64) {
        let is = |state: &State| matches!(state, State::Open(open) if open.number == number);
        let known = timeout(Duration::from_secs(30), self.states.wait_for(is)).await;
        drop(known.expect("the channel is offered").expect("it is kept open"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_on_which_requests_are_rejected_is_replaced_and_its_calls_go_on() {
    let channel = Scripted::default();
    let reject = channel.reject.clone();
    let mut kept = keep(channel);
    kept.wait_for_channel(1).await;
    let in_flight = kept.in_flight.clone();
    let call = enter(&in_flight, 1);
    reject.notify_one();
    kept.wait_for_channel(2).await;

    in_flight.settled(call.correlation_id(), PublishOutcome::Rejected);
    assert!(matches!(call.await, Outcome::Rejected));
}

#[test]
fn a_channel_that_dies_young_is_followed_by_a_pause() {
    let young = limits::STABLE_AFTER / 2;
    let mut pause = Duration::ZERO;
    let pauses: Vec<_> = (0..8)
        .map(|_| {
            pause = pause_after(young, pause);
            pause
        })
        .collect();
    assert_eq!(pauses[..2], [limits::FIRST_PAUSE, limits::FIRST_PAUSE * 2]);
    assert_eq!(pauses[7], limits::YOUNG_PAUSE);
    assert_eq!(pause_after(limits::STABLE_AFTER * 2, pause), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn channels_that_keep_dying_are_few() {
    let mut kept = keep(Scripted { dies: true, ..Scripted::default() });
    kept.wait_for_channel(1).await;
    let started = Instant::now();
    kept.wait_for_channel(20).await;
    assert!(started.elapsed() > Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_on_a_replaced_channel_is_lost_with_it_alone() {
    let channel = Scripted::default();
    let (reject, end) = (channel.reject.clone(), channel.end.clone());
    let mut kept = keep(channel);
    kept.wait_for_channel(1).await;
    let in_flight = kept.in_flight.clone();
    let [taken, open] = [(); 2].map(|()| enter(&in_flight, 1));
    in_flight.settled(taken.correlation_id(), PublishOutcome::Accepted);
    reject.notify_one();
    kept.wait_for_channel(2).await;
    let later = enter(&in_flight, 2);

    end.notify_one();
    assert!(matches!(open.await, Outcome::Lost));
    assert_eq!(in_flight.len(), 2);
    drop((taken, later));
}
