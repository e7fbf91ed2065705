//! What a request has to pass before its method runs.

use std::{sync::atomic::AtomicBool, time::Duration};

use tokio::time::Instant;

use super::{About, Endpoint, InProgress, Stage};
use crate::{
    clock,
    codec::Encoding,
    context::{Context, CorrelationId, RequestContext},
    fault::{Fault, FaultKind},
    message::{DEATHS, Delivery, Message, Properties},
    observe::OTHER,
    server::{Handler, handler::Invocation},
    wire::{self, ROUTING_HEADERS, ReceivedRequest},
};

impl Endpoint {
    /// Checks a request, and logs it if it is refused for something that its sender or this server has to mend.
    pub(super) fn prepare<'a>(
        &'a self,
        delivery: Delivery,
        came: Instant,
        in_progress: &mut InProgress<'a>,
    ) -> Result<(&'a Handler, Invocation), Fault> {
        let redelivered = delivery.had_before();
        let Delivery { redelivered: marked, message, .. } = delivery;
        match self.check_all(&message, (redelivered, marked), came, in_progress) {
            Ok((handler, encoding, context)) => {
                let body = Message::into_body(message);
                Ok((handler, Invocation { body, encoding, context }))
            }
            Err(fault) => {
                let (service, method) = (self.service.name, self.called(&message));
                let about = About::unchecked(service, method, &message.properties);
                self.lines.refused(fault.kind(), Stage::Checks, &about);
                Err(fault)
            }
        }
    }

    /// The checks, cheapest first.
    fn check_all<'a>(
        &'a self,
        message: &Message,
        (redelivered, marked): (bool, bool),
        came: Instant,
        in_progress: &mut InProgress<'a>,
    ) -> Result<(&'a Handler, Encoding, Context), Fault> {
        let properties = &message.properties;
        let request = wire::read_request(properties, self.service.encoding)?;
        let handler = self.handler_for(message, request.method)?;
        in_progress.running = Some(handler.meter.start(came));
        let method = handler.method;
        let encoding = request.encoding;
        if redelivered && properties.has_expired() {
            let fault = Fault::new(FaultKind::Expired, "it expired in a queue, and was moved back");
            // No server had it, unless RabbitMQ says so.
            return Err(fault.had_before(marked));
        }
        self.check(redelivered, message.size(), handler, &request, encoding)?;
        let remaining = self.remaining(&request, properties, came);
        if remaining.is_some_and(|remaining| remaining.is_zero()) {
            let fault = Fault::new(FaultKind::Expired, "the deadline had passed on arrival");
            return Err(fault.had_before(redelivered));
        }
        let deadline = remaining.map(|remaining| came + remaining);
        let headers = properties.headers.iter();
        let context = Context::new(RequestContext {
            service: self.service.name,
            method: method.name,
            descriptor: Some(method),
            deadline,
            headers: headers
                .filter(|(name, _)| !name.starts_with(wire::RESERVED_PREFIX))
                .filter_map(|(name, value)| Some((name.to_string(), value.as_text()?)))
                .collect(),
            caller: properties.user_id.clone(),
            redelivered,
            correlation_id: CorrelationId::new(properties.correlation_id.clone()),
            phase: self.phase.clone(),
            started: AtomicBool::new(false),
        });
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach("before-the-method");
        let admitted = self.limits.admission.admit(&context);
        in_progress.admitted = Some(admitted.map_err(|fault| fault.had_before(redelivered))?);
        Ok((handler, encoding, context))
    }

    /// What is left until the deadline of a request, without the time that it waited in its queue.
    fn remaining(
        &self,
        request: &ReceivedRequest<'_>,
        properties: &Properties,
        came: Instant,
    ) -> Option<Duration> {
        let remaining = request.remaining?;
        let (Some(sent), Some(reply_to)) = (request.sent, &properties.reply_to) else {
            return Some(remaining);
        };
        let (user_id, came) = (properties.user_id.as_deref(), clock::unix_milliseconds(came));
        let waited = self.limits.waits.waited(reply_to, user_id, sent, came, request.longest_wait);
        Some(remaining.saturating_sub(waited))
    }

    /// Whether a request may be run, as far as its way to here tells.
    pub(super) fn is_due(&self, message: &Message) -> bool {
        !message.properties.has_expired() && self.routed(message).is_ok()
    }

    /// The method that a request asks for, if there is such a one.
    pub(super) fn called(&self, message: &Message) -> &'static str {
        let method = match message.properties.kind.as_deref() {
            Some(named) => self.service.method(named),
            None => self.service.default_method(),
        };
        method.map_or(OTHER, |method| method.name)
    }

    pub(super) fn handler_for(
        &self,
        message: &Message,
        named: Option<&str>,
    ) -> Result<&Handler, Fault> {
        let name = match (self.routed(message)?, named) {
            (Some(routed), Some(named)) if routed != named => {
                return Err(Fault::new(
                    FaultKind::NotPermitted,
                    format!("the type is {named:?}, and the routing key says {routed:?}"),
                ));
            }
            (Some(routed), _) => Some(routed),
            (None, named) => named,
        };
        let name = match name {
            Some(name) => name,
            None => self.service.default_method().map(|method| method.name).ok_or_else(|| {
                let message = format!(
                    "the request names no method in its type, and {} has no default",
                    self.service.name
                );
                Fault::new(FaultKind::UnknownMethod, message)
            })?,
        };
        self.handlers.get(name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let message = format!("{} has no method {name:?}", self.service.name);
            Fault::new(FaultKind::UnknownMethod, message)
        })
    }

    /// With an exchange, RabbitMQ has checked the first routing key against the caller's rights, and nothing else: so the
    /// request has to have come here by that key.
    fn routed<'a>(&self, message: &'a Message) -> Result<Option<&'a str>, Fault> {
        if self.exchange.is_empty() {
            return Ok(None);
        }
        let refused = |why: String| Fault::new(FaultKind::NotPermitted, why);
        if message.exchange != self.exchange {
            let why = format!("requests come by the exchange {:?} alone", self.exchange);
            return Err(refused(why));
        }
        let [copies, blind_copies] = ROUTING_HEADERS;
        for header in [DEATHS, copies, blind_copies] {
            if message.properties.header(header).is_some() {
                let why = format!("a request by an exchange has no header `{header}`");
                return Err(refused(why));
            }
        }
        let queue = &*self.queues.own;
        let method = message.routing_key.strip_prefix(queue).and_then(|key| key.strip_prefix('.'));
        let Some(method) = method.filter(|method| !method.contains('.')) else {
            let key = &message.routing_key;
            let why = format!("the routing key is {key:?}, where `{queue}.<method>` is expected");
            return Err(refused(why));
        };
        Ok(Some(method))
    }

    fn check(
        &self,
        redelivered: bool,
        size: usize,
        handler: &Handler,
        request: &ReceivedRequest<'_>,
        encoding: Encoding,
    ) -> Result<(), Fault> {
        let method = handler.method;
        if method.at_most_once && redelivered {
            return Err(Fault::new(
                FaultKind::OutcomeUnknown,
                "another server had this request, and the method is not run twice",
            ));
        }
        if let Some(misfit) = method.misfit(encoding) {
            let name = self.service.name;
            let message = format!("{name}.{} cannot be called in bincode: {misfit}", method.name);
            return Err(Fault::new(FaultKind::UnsupportedEncoding, message));
        }
        if encoding == Encoding::Bincode
            && let Some(theirs) = request.signature
            && theirs != method.signature.as_str()
        {
            return Err(Fault::new(
                FaultKind::Incompatible,
                format!(
                    "{}.{} has other arguments or another result here than at the caller; build both from the same trait",
                    self.service.name, method.name
                ),
            ));
        }
        let limit = self.limits.max_request;
        if size > limit {
            let message = format!("the request is {size} bytes, but at most {limit} are allowed");
            return Err(Fault::new(FaultKind::TooLarge, message));
        }
        Ok(())
    }
}
