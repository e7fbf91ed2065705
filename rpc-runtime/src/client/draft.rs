//! A call before it is sent: what its builder methods change.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Outgoing, handle::ClientShared};
use crate::{
    context::Context, contract::MethodDescriptor, error::CallError, limits, observe,
    wire::add_header,
};

/// A call that is not yet sent.
pub(super) struct Draft {
    pub(super) call: Arc<Outgoing>,
    pub(super) body: Result<Bytes, CallError>,
    /// What the call itself says.
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// What the call whose handler makes this one has left.
    inherited: Option<Instant>,
}

impl Draft {
    pub(super) fn new(
        client: Arc<ClientShared>,
        method: &'static MethodDescriptor,
        body: Result<Bytes, CallError>,
    ) -> Self {
        let context = Context::current();
        let headers = context.as_ref().map(Context::trace_headers).unwrap_or_default();
        Self {
            call: Arc::new(Outgoing::new(client, method, headers)),
            body,
            timeout: None,
            deadline: None,
            inherited: context.as_ref().and_then(Context::deadline),
        }
    }

    /// The same call of another method.
    pub(super) fn named(mut self, method: &str) -> Self {
        self.change(|call| call.name = Some(method.into()));
        self
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
        self.deadline = None;
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
        self.timeout = None;
    }

    /// Adds a header; one that cannot be sent fails the call.
    pub(super) fn set_header(&mut self, name: String, value: String) {
        let Some(call) = Arc::get_mut(&mut self.call) else { return };
        if self.body.is_ok()
            && let Err(error) = add_header(&mut call.headers, name, value)
        {
            self.body = Err(CallError::Encode(error));
        }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Outgoing)) {
        // There is no other owner before it is sent.
        if let Some(call) = Arc::get_mut(&mut self.call) {
            change(call);
        }
    }

    /// From now on it is under way, until this deadline, unless its arguments could not be written.
    pub(super) fn start(
        mut self,
        now: Instant,
    ) -> (Arc<Outgoing>, Instant, Result<Bytes, CallError>) {
        let deadline = self.deadline(now);
        let told = self.timeout.is_some() || self.deadline.is_some();
        if let Some(call) = Arc::get_mut(&mut self.call) {
            call.told_deadline = told;
            call.started = Some((now, deadline));
            if let Some(span) = observe::call_span(|| call.details()) {
                observe::inject(&span, &mut call.headers);
                call.span = span;
            }
        }
        (self.call, deadline, self.body)
    }

    /// Nearest first: the call, the client, the method, the service, the default; and never beyond what the call that
    /// this one serves has left.
    fn deadline(&self, now: Instant) -> Instant {
        let Outgoing { client, method, .. } = &*self.call;
        let asked = self.timeout.or(client.timeout);
        let by_trait = method.timeout.or(client.service.timeout);
        let timeout = asked.or(by_trait).unwrap_or(limits::TIMEOUT);
        let own = self.deadline.unwrap_or_else(|| later(now, timeout));
        self.inherited.map_or(own, |inherited| own.min(inherited))
    }
}

/// A moment in the future, also for a timeout that nobody can wait for.
fn later(now: Instant, timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    now + timeout.min(FAR)
}
