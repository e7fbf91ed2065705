//! A call before it is sent: what its builder methods change.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::handle::ClientShared;
use crate::{
    codec::EncodeError,
    contract::MethodDescriptor,
    envelope::{MAX_HEADER_BYTES, MAX_SHORT_STRING, RESERVED_PREFIX},
    error::CallError,
    limits,
    server::Context,
};

/// A request, encoded and not yet sent.
pub(super) struct Draft {
    pub(super) client: Arc<ClientShared>,
    pub(super) method: &'static MethodDescriptor,
    /// In the place of the descriptor's: a call without a trait has one that says nothing.
    name: Option<Box<str>>,
    pub(super) body: Result<Bytes, CallError>,
    /// What the call itself says.
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// What the call whose handler makes this one has left.
    inherited: Option<Instant>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) priority: Option<u8>,
    pub(super) persistent: bool,
    pub(super) idempotent: bool,
    pub(super) oneway: bool,
}

/// When a call ends, and whether the server is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) travels: bool,
}

impl Draft {
    pub(super) fn new(
        client: Arc<ClientShared>,
        method: &'static MethodDescriptor,
        body: Result<Bytes, CallError>,
    ) -> Self {
        let context = Context::current();
        Self {
            client,
            method,
            name: None,
            body,
            timeout: None,
            deadline: None,
            inherited: context.as_ref().and_then(Context::deadline),
            headers: context.as_ref().map(Context::trace_headers).unwrap_or_default(),
            priority: None,
            persistent: false,
            idempotent: method.idempotent,
            oneway: method.oneway,
        }
    }

    /// The same call of another method.
    pub(super) fn named(mut self, method: &str) -> Self {
        self.name = Some(method.into());
        self
    }

    /// The method's name on the wire.
    pub(super) fn method_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.method.name)
    }

    /// The method's signature; empty where it is not known.
    pub(super) fn signature(&self) -> &str {
        if self.name.is_some() { "" } else { self.method.signature.as_str() }
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
        if self.body.is_err() {
            return;
        }
        if let Some(reason) = refuse_name(&name) {
            self.body = Err(CallError::Encode(EncodeError::because(reason)));
            return;
        }
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        let size: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > MAX_HEADER_BYTES {
            let reason = format!("the headers are {size} bytes, where {MAX_HEADER_BYTES} fit");
            self.body = Err(CallError::Encode(EncodeError::because(reason)));
        }
    }

    /// Nearest first: the call, the client, the method, the service, the default; and never beyond what the call that
    /// this one serves has left.
    pub(super) fn deadline(&self) -> Deadline {
        let asked = self.timeout.or(self.client.timeout);
        let by_trait = self.method.timeout.or(self.client.service.timeout);
        let timeout = asked.or(by_trait).unwrap_or(limits::TIMEOUT);
        let own = self.deadline.unwrap_or_else(|| later(timeout));
        Deadline {
            at: self.inherited.map_or(own, |inherited| own.min(inherited)),
            // Nobody waits for the result of a one-way request: it expires only if its caller says so.
            travels: !self.oneway || self.timeout.is_some() || self.deadline.is_some(),
        }
    }
}

/// A moment in the future, also for a timeout that nobody can wait for.
fn later(timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    Instant::now() + timeout.min(FAR)
}

fn refuse_name(name: &str) -> Option<String> {
    if name.starts_with(RESERVED_PREFIX) {
        Some(format!("the header `{name}` begins with `{RESERVED_PREFIX}`, which is reserved"))
    } else if name.is_empty() || name.len() > MAX_SHORT_STRING {
        Some(format!("a header's name has 1 to {MAX_SHORT_STRING} bytes, this one {}", name.len()))
    } else {
        None
    }
}
