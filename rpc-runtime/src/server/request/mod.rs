//! One request: checked, run, answered. Whatever comes in, the answer is a reply, a fault, or silence that is counted.

mod checks;

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicU64},
    task::Poll,
    time::Duration,
};

use smol_str::SmolStr;
use tokio::{sync::watch, time::Instant};
use tracing::{Span, debug};

use super::{
    Dispatch, Handler, Internal,
    admission::{Admission, Admitted},
    handler::Invocation,
    layered::{Handlers, Started, through},
    lines::{About, Lines, Stage, about},
    meter::{FaultCounters, Meter, Running},
    stats::Counters,
    waits::Waits,
};
use crate::{
    context::{Context, Phase},
    contract::ServiceDescriptor,
    escape::Escaped,
    fault::{Fault, FaultKind},
    limits,
    message::{Delivery, Message},
    middleware::{Next, Reply},
    observe::{self, End, Metered},
    transport::{Refused, WorkerChannel},
    wire::{self, ReturnAddress},
};

/// What a server accepts.
pub(super) struct Limits {
    pub(super) max_request: usize,
    pub(super) max_reply: usize,
    /// The callback queues that are answered, beside those that RabbitMQ named; `None`: any, unless there is an exchange.
    pub(super) reply_to_prefixes: Option<Vec<String>>,
    pub(super) reject_redelivered: bool,
    pub(super) admission: Admission,
    /// How long the requests of each caller wait.
    pub(super) waits: Waits,
}

/// The queues of a server.
pub(super) struct Queues {
    /// The one that the service is served on.
    pub(super) own: String,
    /// All of them: a reply into one would come back as a request.
    pub(super) all: Arc<[String]>,
}

/// What is counted and measured of a service.
pub(super) struct Gauges {
    pub(super) faults: Arc<FaultCounters>,
    /// By method, in the order of the trait.
    pub(super) methods: Vec<(&'static str, Arc<Meter>)>,
}

/// A request that is being answered.
struct InProgress<'a> {
    tag: u64,
    address: Option<ReturnAddress>,
    metered: Metered,
    /// Where its method is known.
    running: Option<Running<'a>>,
    /// Once it has passed the checks.
    admitted: Option<Admitted>,
    context: Option<Context>,
}

/// A service, ready to answer.
pub(super) struct Endpoint {
    service: &'static ServiceDescriptor,
    handlers: Arc<Handlers>,
    layers: Option<Next>,
    limits: Arc<Limits>,
    queues: Queues,
    /// The exchange that requests have to come by; empty for any.
    exchange: SmolStr,
    phase: Arc<watch::Receiver<Phase>>,
    counters: Arc<Counters>,
    /// Log lines about requests.
    lines: Lines,
    faults: Arc<FaultCounters>,
}

impl Endpoint {
    pub(super) fn new(
        service: &dyn Dispatch,
        layers: Option<Next>,
        limits: Arc<Limits>,
        queues: Queues,
        exchange: SmolStr,
        phase: watch::Receiver<Phase>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            service: service.descriptor(),
            handlers: Arc::new(Handlers::new(service.handlers(Internal::new()))),
            layers,
            limits,
            queues,
            exchange,
            phase: Arc::new(phase),
            counters,
            lines: Lines::default(),
            faults: Arc::default(),
        }
    }

    pub(super) fn service(&self) -> &'static ServiceDescriptor {
        self.service
    }

    /// What is counted and measured, for as long as the server lives.
    pub(super) fn gauges(&self) -> Gauges {
        let methods = self.service.methods.iter().filter_map(|method| {
            let handler = self.handlers.get(method.name)?;
            Some((method.name, handler.meter.clone()))
        });
        Gauges { faults: self.faults.clone(), methods: methods.collect() }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        watch::Receiver::clone(&self.phase)
    }

    pub(super) fn undeliverable(&self) -> Arc<AtomicU64> {
        self.counters.undeliverable.clone()
    }

    pub(super) fn refused(&self) -> Arc<Refused> {
        self.counters.refused.clone()
    }

    pub(super) fn max_request(&self) -> usize {
        self.limits.max_request
    }

    /// Counts a handler that had to be stopped.
    pub(super) fn note_stopped(&self) {
        self.counters.stopped.increment();
    }

    /// The span of a request, from its arrival to its answer.
    pub(super) fn span(&self, delivery: &Delivery) -> Span {
        observe::request_span(self.service.name, || self.called(delivery), delivery)
    }

    /// Answers a request and acknowledges it. Returns how long it computed since it last waited; `None` if its handler had to
    /// be stopped.
    ///
    /// Every request that runs has one of these: what is seldom awaited is kept out of it.
    pub(super) async fn serve(
        &self,
        delivery: Delivery,
        channel: &dyn WorkerChannel,
        span: &Span,
    ) -> Option<Duration> {
        let began = Instant::now();
        let Some((method, in_progress)) = self.take_up(delivery, began, channel, span) else {
            return Some(Duration::ZERO);
        };
        let mut method = pin!(method);
        // Most are answered at once: then nobody has to be told to stop.
        let first = poll_fn(|cx| Poll::Ready(method.as_mut().poll(cx)));
        let (ended, began) = match first.await {
            Poll::Ready(ended) => (ended, began),
            Poll::Pending => {
                let context = in_progress.context.as_ref();
                self.note_held(began, Instant::now(), context);
                let Some(ended) = Box::pin(self.unless_stopped(method, context)).await else {
                    self.counters.given_back.increment();
                    channel.requeue(in_progress.tag);
                    return None;
                };
                ended
            }
        };
        Some(self.end(in_progress, began, self.answer(ended), channel, span))
    }

    /// Checks a request and starts its method; `None` if it was answered without.
    fn take_up(
        &self,
        delivery: Delivery,
        came: Instant,
        channel: &dyn WorkerChannel,
        span: &Span,
    ) -> Option<(impl Future<Output = Result<Reply, Fault>> + Send + use<>, InProgress<'_>)> {
        self.counters.requests.increment();
        let (tag, address) = (delivery.tag, self.address_of(&delivery));
        if let Some(address) = &address
            && !self.obeys(address)
        {
            self.refuse_reply_to(&delivery, address, channel);
            return None;
        }
        if self.limits.reject_redelivered && delivery.had_before() && self.is_due(&delivery) {
            let reason =
                "a server had this request before and did not finish it; it is not tried again";
            let answer = Reply::Fault(Fault::new(FaultKind::OutcomeUnknown, reason));
            let reply = self.reply(address, answer);
            channel.reject(tag, reply);
            return None;
        }
        let metered = Metered::start(End::Server, self.service.name, || self.called(&delivery));
        let mut in_progress =
            InProgress { tag, address, metered, running: None, admitted: None, context: None };
        match self.prepare(delivery, came, &mut in_progress) {
            Ok((handler, invocation)) => {
                in_progress.context = Some(invocation.context.clone());
                Some((self.start(handler, invocation), in_progress))
            }
            Err(fault) => {
                self.end(in_progress, came, Reply::Fault(fault), channel, span);
                None
            }
        }
    }

    /// The method, through the layers if there are any.
    fn start(
        &self,
        handler: &Handler,
        invocation: Invocation,
    ) -> impl Future<Output = Result<Reply, Fault>> + Send + use<> {
        match &self.layers {
            None => Started::Plain { running: handler.run(invocation) },
            Some(layers) => {
                Started::Layered { answer: through(layers, invocation, self.handlers.clone()) }
            }
        }
    }

    /// What the method ends with, and when it last went on. `None` if it takes longer than a server that shuts down can
    /// wait.
    async fn unless_stopped<T>(
        &self,
        mut method: Pin<&mut impl Future<Output = T>>,
        context: Option<&Context>,
    ) -> Option<(T, Instant)> {
        let mut phase = self.phase();
        let method = poll_fn(|cx| {
            let began = Instant::now();
            let polled = method.as_mut().poll(cx);
            if polled.is_pending() {
                self.note_held(began, Instant::now(), context);
            }
            polled.map(|ended| (ended, began))
        });
        tokio::select! {
            biased;
            ended = method => Some(ended),
            () = Phase::Stopped.reached(&mut phase) => None,
        }
    }

    /// Warns of a handler that went on from `began` to `now` without a pause, if that is long.
    fn note_held(&self, began: Instant, now: Instant, context: Option<&Context>) {
        let held = now.saturating_duration_since(began);
        if held >= limits::HELD_THREAD
            && let Some(context) = context
        {
            about(context, |about| self.lines.held(held, about));
        }
    }

    fn answer(&self, ended: Result<Reply, Fault>) -> Reply {
        let reply = match ended {
            Ok(reply) => reply,
            Err(fault) => return Reply::Fault(fault),
        };
        let (size, limit) = (reply.size(), self.limits.max_reply);
        if size > limit {
            let message = format!("the reply is {size} bytes, but at most {limit} are allowed");
            return Reply::Fault(Fault::new(FaultKind::TooLarge, message).ran(true));
        }
        reply
    }

    /// Measures an answer and sends it. Its method last went on at `began`; returns how long that is ago.
    fn end(
        &self,
        in_progress: InProgress<'_>,
        began: Instant,
        answer: Reply,
        channel: &dyn WorkerChannel,
        span: &Span,
    ) -> Duration {
        let InProgress { tag, address, metered, running, admitted, context } = in_progress;
        // Before the caller knows, who may ask for another at once.
        drop(admitted);
        let now = Instant::now();
        if let Some(running) = running {
            running.end(&answer, now);
        }
        self.note_held(began, now, context.as_ref());
        if let (Reply::Fault(fault), Some(context)) = (&answer, &context) {
            about(context, |about| self.lines.refused(fault.kind(), Stage::Method, about));
        }
        observe::end(span, (&answer).into());
        metered.end((&answer).into());
        let reply = self.reply(address, answer);
        channel.finish(tag, reply);
        now.saturating_duration_since(began)
    }

    /// Gives a request back that was not started. One that must not run twice would be taken for one that has run, so
    /// its caller is told instead.
    pub(super) fn give_back(&self, delivery: &Delivery, channel: &dyn WorkerChannel) {
        let named = self.handler_for(delivery, delivery.properties.kind.as_deref());
        let address = self.address_of(delivery);
        match (named, address) {
            (Ok(handler), Some(address))
                if handler.method.at_most_once
                    && !delivery.had_before()
                    && self.obeys(&address) =>
            {
                let fault = Fault::new(FaultKind::ShuttingDown, "this server is shutting down");
                self.finish(delivery.tag, Some(address), Reply::Fault(fault), channel);
            }
            _ => {
                self.counters.given_back.increment();
                channel.requeue(delivery.tag);
            }
        }
    }

    /// Refuses a request that there is no room for.
    pub(super) fn shed(&self, delivery: &Delivery, channel: &dyn WorkerChannel) {
        self.counters.requests.increment();
        let address = self.address_of(delivery);
        if let Some(address) = &address
            && !self.obeys(address)
        {
            return self.refuse_reply_to(delivery, address, channel);
        }
        let fault =
            Fault::new(FaultKind::Overloaded, "this server runs as many requests as it may")
                .had_before(delivery.had_before());
        self.finish(delivery.tag, address, Reply::Fault(fault), channel);
    }

    /// Rejects a request that cannot be answered: its queue's dead-letter exchange keeps it, if there is one.
    fn refuse_reply_to(
        &self,
        delivery: &Delivery,
        address: &ReturnAddress,
        channel: &dyn WorkerChannel,
    ) {
        self.counters.refused_reply_to.increment();
        let about =
            About::unchecked(self.service.name, self.called(delivery), &delivery.properties);
        self.lines.unanswerable(address.queue(), self.is_served(address), &about);
        if delivery.properties.was_dead_lettered() {
            // Where dead letters lead back to this queue, it would come again and again.
            channel.finish(delivery.tag, None);
        } else {
            channel.reject(delivery.tag, None);
        }
    }

    fn address_of(&self, delivery: &Delivery) -> Option<ReturnAddress> {
        ReturnAddress::of(&delivery.properties, self.service.encoding)
    }

    /// Whether a reply may go there. With an exchange, callers have no right to write to queues, and must not get it
    /// through the server.
    fn obeys(&self, address: &ReturnAddress) -> bool {
        let allowed = address.is_server_named()
            || match &self.limits.reply_to_prefixes {
                None => self.exchange.is_empty(),
                Some(prefixes) => {
                    prefixes.iter().any(|prefix| address.queue().starts_with(prefix.as_str()))
                }
            };
        allowed && !self.is_served(address)
    }

    /// A reply into a queue of this server would come back as a request.
    fn is_served(&self, address: &ReturnAddress) -> bool {
        self.queues.all.iter().any(|served| served == address.queue())
    }

    fn finish(
        &self,
        tag: u64,
        address: Option<ReturnAddress>,
        answer: Reply,
        channel: &dyn WorkerChannel,
    ) {
        let reply = self.reply(address, answer);
        channel.finish(tag, reply);
    }

    /// Counts an answer, and writes it where somebody waits for it.
    fn reply(&self, address: Option<ReturnAddress>, answer: Reply) -> Option<Message> {
        match &answer {
            Reply::Fault(fault) => {
                self.counters.faults.increment();
                self.faults.count(fault.kind());
                if fault.kind() == FaultKind::Panicked {
                    self.counters.panics.increment();
                }
                // Its message may quote the request.
                let fault = Escaped::new(fault.word());
                debug!(service = self.service.name, %fault, "refused a request");
            }
            Reply::Result { .. } | Reply::Error { .. } => self.counters.answered.increment(),
        }
        if address.is_none() {
            self.counters.unasked.increment();
        }
        address.map(|address| wire::write_reply(&address, answer))
    }
}

#[cfg(test)]
pub(super) mod tests;
