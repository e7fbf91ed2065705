//! Places race, in order: the connection is made to the first that answers.
//!
//! A name may resolve to several addresses, and several names may be configured. They are tried one after the other. The next
//! one starts early where one is slow, and all that have started go on: so one that swallows packets, or takes the connection
//! and stays silent, costs a moment and not the whole time.

use std::{
    collections::VecDeque,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, sleep_until, timeout};

use super::{BoxFuture, failure::Failure};
use crate::limits;

/// Tries places. Tests have one of their own.
pub(super) trait Dial: Sync {
    type Connected;

    /// Where an address leads, in the order in which it is to be tried.
    fn resolve(&self, address: usize) -> BoxFuture<'_, Result<Vec<SocketAddr>, Failure>>;

    /// Connects all the way. `reached` is set as soon as the connection is accepted.
    fn connect(
        &self,
        address: usize,
        to: SocketAddr,
        reached: Arc<AtomicBool>,
    ) -> BoxFuture<'_, Result<Self::Connected, Failure>>;
}

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) address: usize,
    /// `None` where the name of the address was not resolved.
    pub(super) to: Option<SocketAddr>,
    pub(super) failure: Failure,
}

/// What is tried: an address without a place is resolved, one with a place is connected to.
#[derive(Clone, Copy)]
struct Step {
    address: usize,
    to: Option<SocketAddr>,
}

impl Step {
    fn failed(self, failure: Failure) -> Failed {
        Failed { address: self.address, to: self.to, failure }
    }
}

enum Done<T> {
    Resolved(Vec<SocketAddr>),
    Connected(T),
}

struct Running<'a, T> {
    step: Step,
    started: Instant,
    /// A name server was asked, or the connection was accepted: then it is worth waiting.
    reached: Arc<AtomicBool>,
    future: BoxFuture<'a, Result<Done<T>, Failure>>,
}

/// Connects to the first of these addresses that answers, until a time.
///
/// # Cancel safety
///
/// Dropping the future gives all attempts up.
pub(super) async fn race<D: Dial>(
    dialer: &D,
    addresses: impl Iterator<Item = usize>,
    by: Option<Instant>,
) -> Result<(usize, D::Connected), Vec<Failed>> {
    let mut steps: VecDeque<Step> = addresses.map(|address| Step { address, to: None }).collect();
    let mut running: Vec<Running<'_, D::Connected>> = Vec::new();
    let mut failed = Vec::new();
    let mut start = true;
    let mut look = Instant::now();
    loop {
        if std::mem::take(&mut start)
            && let Some(step) = steps.pop_front()
        {
            running.push(begin(dialer, step));
            look = Instant::now() + share(limits::CONNECT_SLOW, by, steps.len());
        }
        if running.is_empty() {
            return Err(failed);
        }
        tokio::select! {
            biased;
            (step, done) = next(&mut running) => match done {
                Ok(Done::Connected(connected)) => return Ok((step.address, connected)),
                Ok(Done::Resolved(places)) => {
                    for to in places.into_iter().take(limits::MOST_PLACES).rev() {
                        steps.push_front(Step { to: Some(to), ..step });
                    }
                    start = true;
                }
                Err(failure) => {
                    if failure.is_refusal() {
                        // The same login is not shown to the same broker by another way.
                        steps.retain(|other| other.address != step.address);
                    }
                    failed.push(step.failed(failure));
                    start = true;
                }
            },
            () = sleep_until(look), if !steps.is_empty() => {
                let patient = running.last().filter(|newest| newest.reached.load(Ordering::Relaxed));
                let patience = patient.map(|newest| {
                    newest.started + share(limits::CONNECT_SILENT, by, steps.len())
                });
                match patience {
                    Some(until) if until > Instant::now() => look = until,
                    _ => start = true,
                }
            }
            () = until(by) => {
                failed.extend(running.iter().map(|running| running.step.failed(running.silent())));
                // Those that were not even begun.
                let unbegun = |step: &Step| {
                    step.failed(Failure::Silent { reached: false, within: Duration::ZERO })
                };
                failed.extend(steps.iter().map(unbegun));
                return Err(failed);
            }
        }
    }
}

/// How long to wait for one, where others follow: each of them has its share of a time that is short.
fn share(wanted: Duration, by: Option<Instant>, others: usize) -> Duration {
    let Some(by) = by else { return wanted };
    let left = by.saturating_duration_since(Instant::now());
    let parts = u32::try_from(others + 2).unwrap_or(u32::MAX);
    wanted.min(left / parts)
}

async fn until(by: Option<Instant>) {
    match by {
        Some(by) => sleep_until(by).await,
        None => std::future::pending().await,
    }
}

fn begin<D: Dial>(dialer: &D, step: Step) -> Running<'_, D::Connected> {
    let reached = Arc::new(AtomicBool::new(step.to.is_none()));
    let started = Instant::now();
    let flag = reached.clone();
    let future = Box::pin(async move {
        let attempt = async {
            match step.to {
                None => dialer.resolve(step.address).await.map(Done::Resolved),
                Some(to) => {
                    dialer.connect(step.address, to, flag.clone()).await.map(Done::Connected)
                }
            }
        };
        timeout(limits::CONNECT_ATTEMPT, attempt).await.unwrap_or_else(|_| {
            let reached = flag.load(Ordering::Relaxed);
            Err(Failure::Silent { reached, within: limits::CONNECT_ATTEMPT })
        })
    });
    Running { step, started, reached, future }
}

impl<T> Running<'_, T> {
    /// How it failed, if it has to end now.
    fn silent(&self) -> Failure {
        Failure::Silent {
            reached: self.reached.load(Ordering::Relaxed),
            within: self.started.elapsed(),
        }
    }
}

/// The first that is done.
async fn next<T>(running: &mut Vec<Running<'_, T>>) -> (Step, Result<Done<T>, Failure>) {
    poll_fn(|cx| {
        for index in 0..running.len() {
            if let Poll::Ready(done) = pin!(&mut running[index].future).poll(cx) {
                return Poll::Ready((running.remove(index).step, done));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
