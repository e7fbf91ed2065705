//! What all calls over a connection share: their channel, those in flight, the budget for retries.

mod callers;
mod full;
mod retry;

use std::sync::Arc;

use smol_str::SmolStr;

use self::callers::Callers;
pub(crate) use self::callers::OpenCaller;
pub use self::full::WhenFull;
pub(super) use self::retry::RetryBudget;
use super::{
    in_flight::{InFlight, Permit},
    unserved::{QueueWatch, Watches},
};
use crate::{
    connection::{Access, NotReady, Supervisor, Unavailable},
    transport::CallerOptions,
};

pub(crate) struct Session {
    access: Arc<Access>,
    callers: Callers,
    limits: SessionLimits,
    retries: RetryBudget,
    /// Of the queues that clients look at.
    watches: Watches,
}

/// How many calls there may be, and what one does that has to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    pub(crate) max_in_flight: usize,
    /// While as many are in flight as allowed.
    pub(crate) when_full: WhenFull,
    /// While the connection is down, or takes no messages.
    pub(crate) unavailable: Unavailable,
}

impl Session {
    pub(crate) fn new(
        supervisor: Supervisor,
        options: CallerOptions,
        limits: SessionLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            access: Access::new(supervisor, &options.exchange),
            callers: Callers::new(options, limits.max_in_flight),
            limits,
            retries: RetryBudget::default(),
            watches: Watches::default(),
        })
    }

    /// The same over another user's connection, whose requests say who sent them.
    pub(crate) fn announcing(&self, supervisor: Supervisor) -> Arc<Self> {
        let options = CallerOptions { announce_user: true, ..self.callers.options().clone() };
        Self::new(supervisor, options, self.limits)
    }

    pub(crate) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    pub(crate) fn in_flight(&self) -> &Arc<InFlight> {
        self.callers.in_flight()
    }

    /// A place among the calls in flight; `None` if there is none, and it is not to be waited for.
    pub(super) async fn permit(&self) -> Option<Permit<'_>> {
        match self.limits.when_full {
            WhenFull::Refuse => self.in_flight().try_permit(),
            WhenFull::Wait => self.in_flight().permit().await,
        }
    }

    /// What is known of who consumes a queue.
    pub(super) fn watch(&self, queue: &SmolStr) -> Arc<QueueWatch> {
        self.watches.of(queue)
    }

    pub(super) fn retry_budget(&self) -> &RetryBudget {
        &self.retries
    }

    /// The channel for calls, if there is one and the broker takes messages: nearly always so, and then nothing has to be
    /// waited for.
    pub(super) fn caller_now(&self) -> Option<OpenCaller> {
        self.access.supervisor().is_ready().then(|| self.callers.open_now()).flatten()
    }

    /// The channel for calls, as soon as there is one and the broker takes messages.
    pub(super) async fn caller(&self) -> Result<OpenCaller, NotReady> {
        let (supervisor, unavailable) = (self.access.supervisor(), self.limits.unavailable);
        supervisor.ready(unavailable).await?;
        let open = async { self.callers.open(supervisor).await.map_err(NotReady::Never) };
        match unavailable {
            Unavailable::Wait => open.await,
            Unavailable::Fail => tokio::select! {
                biased;
                opened = open => opened,
                not_ready = supervisor.not_ready() => Err(not_ready),
            },
        }
    }
}
