//! What stays the same of a call, however often it is sent.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use smol_str::SmolStr;
use tokio::time::Instant;
use tracing::Span;
use uuid::Uuid;

use super::{exchange::send, handle::ClientShared, ids};
use crate::{
    connection::Access,
    context::Context,
    contract::MethodDescriptor,
    middleware::{NextFuture, Request, RequestMeta, Side},
    observe::{CallDetails, OTHER},
    wire::UserHeaders,
};

/// A call, without its arguments.
#[allow(clippy::struct_excessive_bools, reason = "each is an option that stands alone at the call")]
pub(crate) struct Outgoing {
    pub(super) client: Arc<ClientShared>,
    pub(crate) method: &'static MethodDescriptor,
    /// In the place of the descriptor's: a call without a trait has one that says nothing.
    pub(super) name: Option<SmolStr>,
    pub(crate) headers: UserHeaders,
    pub(crate) message_id: Uuid,
    pub(super) priority: Option<u8>,
    pub(super) persistent: bool,
    pub(crate) idempotent: bool,
    pub(crate) oneway: bool,
    /// The call itself says how long it waits.
    pub(super) told_deadline: bool,
    /// From the first poll on.
    pub(crate) span: Span,
    /// When it was first polled, and its deadline.
    pub(super) started: Option<(Instant, Instant)>,
    /// One sending goes by the id of the call.
    identified: AtomicBool,
    /// How many sendings may have reached a server, as far as is known: layers may make several.
    under_way: AtomicU32,
}

impl Outgoing {
    pub(super) fn new(
        client: Arc<ClientShared>,
        method: &'static MethodDescriptor,
        headers: UserHeaders,
    ) -> Self {
        Self {
            client,
            method,
            name: None,
            headers,
            message_id: ids::random(),
            priority: None,
            persistent: false,
            idempotent: method.idempotent,
            oneway: method.oneway,
            told_deadline: false,
            span: Span::none(),
            started: None,
            identified: AtomicBool::new(false),
            under_way: AtomicU32::new(0),
        }
    }

    pub(crate) fn service(&self) -> &'static str {
        self.client.service.name
    }

    /// The method's name on the wire.
    pub(crate) fn method_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.method.name)
    }

    /// The same, for a message to keep.
    pub(super) fn method_text(&self) -> SmolStr {
        self.name.clone().unwrap_or(SmolStr::new_static(self.method.name))
    }

    /// The method's signature; empty where it is not known.
    pub(super) fn signature(&self) -> SmolStr {
        let known = if self.name.is_some() { "" } else { self.method.signature.as_str() };
        SmolStr::new_static(known)
    }

    pub(crate) fn access(&self) -> &Access {
        self.client.session.access()
    }

    /// The names that the traits in the program know; others would be without bound.
    pub(crate) fn labels(&self) -> (&'static str, &'static str) {
        if self.name.is_some() {
            (OTHER, OTHER)
        } else {
            (self.client.service.name, self.method.name)
        }
    }

    fn routing_key(&self) -> Cow<'_, str> {
        if self.access().exchange().is_empty() {
            self.queue().into()
        } else {
            format!("{}.{}", self.queue(), self.method_name()).into()
        }
    }

    /// What its span says of it.
    pub(super) fn details(&self) -> CallDetails<'_> {
        CallDetails {
            service: self.service(),
            method: self.method_name(),
            exchange: self.access().exchange(),
            routing_key: self.routing_key(),
            message_id: self.message_id,
            host: self.access().host(),
        }
    }

    pub(crate) fn queue(&self) -> &str {
        &self.client.queue
    }

    /// Whether nothing is sent where nobody consumes the queue.
    pub(super) fn looks(&self) -> bool {
        self.client.watch.is_some()
    }

    /// Whether the server is told the deadline. Nobody waits for the result of a one-way request: it expires only if its
    /// caller says so.
    pub(super) fn deadline_travels(&self) -> bool {
        !self.oneway || self.told_deadline
    }

    /// An id for a sending: the first has that of the call, which spares a random one for nearly every call.
    pub(super) fn next_correlation_id(&self) -> Uuid {
        if self.identified.swap(true, Ordering::Relaxed) { ids::random() } else { self.message_id }
    }

    pub(super) fn may_have_run(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// Notes that a sending was handed over.
    pub(super) fn left(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a sending has run nothing.
    pub(super) fn came_back(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Side for Outgoing {
    fn meta<'a>(&'a self, _: Option<&'a Context>) -> RequestMeta<'a> {
        RequestMeta {
            service: self.service(),
            method: self.method_name(),
            labels: self.labels(),
            destination: self.queue(),
            idempotent: self.idempotent,
            oneway: self.oneway,
            cacheable: self.method.cacheable,
            headers: &self.headers,
        }
    }

    fn answer(self: Arc<Self>, request: Request) -> NextFuture {
        NextFuture::boxed(Box::pin(send(self, request)))
    }
}
