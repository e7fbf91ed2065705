//! One call on the wire: from the first sending to the one outcome.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use smol_str::SmolStr;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{debug, field};
use uuid::Uuid;

use super::{
    Outgoing,
    in_flight::{CallGuard, Outcome},
    session::{OpenCaller, RetryBudget},
    verdict::{Decision, Sending, Verdict, Why, conclude, decide, is_worth_a_pause, not_ready},
};
use crate::{
    clock,
    codec::Encoding,
    connection::pauses,
    error::{CallError, TooLarge},
    fault::{Fault, FaultKind},
    limits,
    middleware::{BoxError, Reply, Request},
    observe,
    tasks::{BoxFuture, boxed},
    wire::{self, RequestHead, UserHeaders},
};

/// Sends a request below the layers of its client, and waits for what comes of it.
pub(super) async fn send(call: Arc<Outgoing>, request: Request) -> Result<Reply, BoxError> {
    let Request { body, encoding, deadline, headers, .. } = request;
    // A layer may have made it larger.
    let fits = TooLarge::check(body.len(), call.client.max_request);
    fits.map_err(CallError::<Infallible>::TooLarge)?;
    let deadline = deadline.unwrap_or_else(Instant::now);
    let exchange = Exchange { headers, ..Exchange::new(call, body, encoding, deadline) };
    exchange.run().await.map_err(Into::into)
}

/// A request and what it needs to be sent, again if need be.
pub(super) struct Exchange {
    call: Arc<Outgoing>,
    deadline: Instant,
    body: Bytes,
    encoding: Encoding,
    /// Where a layer has changed them.
    headers: Option<Arc<UserHeaders>>,
    /// A request of this sending may be in a queue, or with a server.
    handed_over: bool,
    /// What became of an earlier sending is not known.
    left_behind: bool,
    /// Between attempts that were refused, once there was one.
    pauses: Option<Pauses>,
}

type Pauses = Box<dyn Iterator<Item = Duration> + Send>;

impl Exchange {
    pub(super) fn new(
        call: Arc<Outgoing>,
        body: Bytes,
        encoding: Encoding,
        deadline: Instant,
    ) -> Self {
        let (headers, handed_over, left_behind, pauses) = (None, false, false, None);
        Self { call, deadline, body, encoding, headers, handed_over, left_behind, pauses }
    }

    /// Sends it and waits for what comes of it, within its deadline.
    #[allow(clippy::manual_async_fn, reason = "every call in flight would keep `self` twice")]
    pub(super) fn run(mut self) -> impl Future<Output = Result<Reply, CallError>> + Send {
        async move {
            let ended = self.attempts().await;
            let (ended, may_have_run) = conclude(ended, self.left_behind);
            if !may_have_run {
                self.take_back();
            }
            ended
        }
    }

    /// Sends it until it has an outcome. It is sent again only if the method is idempotent or if nothing was sent.
    async fn attempts(&mut self) -> Result<Reply, CallError> {
        let call = self.call.clone();
        let session = &call.client.session;
        // What is seldom waited for is kept out of the size of a call.
        let _permit = match session.in_flight().try_permit() {
            Some(permit) => permit,
            None => self.in_time(session.permit()).await?.ok_or_else(too_many_in_flight)?,
        };
        session.retry_budget().pay();
        loop {
            let caller = match session.caller_now() {
                Some(caller) => caller,
                None => match self.in_time(session.caller()).await? {
                    Ok(caller) => caller,
                    Err(reason) => return Err(not_ready(reason, self.handed_over)),
                },
            };
            if let Some(watch) = call.client.watch.as_ref().filter(|_| !call.oneway)
                && let near = caller.channel.is_near()
                && !watch.is_served_now(near)
            {
                match self
                    .in_time(watch.is_unserved(session.access(), &call.client.queue, near))
                    .await
                {
                    Ok(false) => {}
                    Ok(true) => return Err(CallError::NoServer),
                    // The deadline came while it waited for a server.
                    Err(_) if watch.was_unserved() => return Err(CallError::NoServer),
                    Err(expired) => return Err(expired),
                }
            }
            let (id, number) = (call.next_correlation_id(), caller.number);
            let entered = session.in_flight().enter(id, number, call.oneway, self.deadline);
            let Ok(guard) = entered else {
                self.in_time(caller.wait_until_replaced(session)).await?;
                continue;
            };
            let handed_over_before = self.handed_over;
            if !self.publish(&caller, &guard)? {
                self.in_time(caller.wait_until_replaced(session)).await?;
                continue;
            }
            let outcome = guard.await;
            if let (Some(watch), Outcome::Reply(_)) = (&call.client.watch, &outcome) {
                watch.answered(Instant::now());
            }
            let (reason, or) = match self.verdict(outcome, handed_over_before) {
                Verdict::End(ended) => return ended,
                Verdict::Again(Why::Ignored) => continue,
                Verdict::Again(Why::ConnectionLost) => {
                    self.note_retry(id, "the connection was lost");
                    continue;
                }
                Verdict::AgainLater { reason, or } => (reason, or),
            };
            if !Box::pin(self.may_ask_again(session.retry_budget())).await {
                return *or;
            }
            self.note_retry(id, reason);
        }
    }

    /// Waits for something within the deadline.
    fn in_time<'a, T>(
        &self,
        awaited: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, CallError>> {
        let (deadline, expired) = (self.deadline, self.expired());
        boxed(async move { timeout_at(deadline, awaited).await.map_err(|_| expired) })
    }

    fn expired(&self) -> CallError {
        CallError::DeadlineExceeded { may_have_run: self.handed_over }
    }

    /// What follows from an outcome. Not `async`, so that no call in flight has room for it.
    fn verdict(&mut self, outcome: Outcome, handed_over_before: bool) -> Verdict {
        let sending = Sending {
            queue: &self.call.client.queue,
            encoding: self.encoding,
            idempotent: self.call.idempotent,
            handed_over: self.handed_over,
        };
        let Decision { verdict, left_behind } = decide(outcome, &sending);
        self.left_behind |= left_behind;
        if matches!(verdict, Verdict::Again(Why::Ignored)) && !handed_over_before {
            self.take_back();
        }
        verdict
    }

    /// Waits a while before a request that was refused for want of room is sent again; `false` if it is not to be.
    async fn may_ask_again(&mut self, budget: &RetryBudget) -> bool {
        if !self.call.idempotent {
            return false;
        }
        let pauses = self.pauses.get_or_insert_with(|| Box::new(pauses()));
        let pause = pauses.next().unwrap_or(limits::LONGEST_PAUSE);
        let left = self.deadline.saturating_duration_since(Instant::now());
        if !is_worth_a_pause(pause, left, budget) {
            return false;
        }
        sleep(pause).await;
        true
    }

    fn note_retry(&self, correlation_id: Uuid, reason: &str) {
        let (service, method) = self.call.labels();
        observe::retried(service, method);
        debug!(
            service = self.call.service(),
            method = self.call.method_name(),
            %correlation_id,
            reason,
            "a request is sent again"
        );
    }

    /// Hands the request to the transport; `false` if it would not take it.
    fn publish(&mut self, caller: &OpenCaller, guard: &CallGuard<'_>) -> Result<bool, CallError> {
        let now = Instant::now();
        let remaining = self.deadline.saturating_duration_since(now);
        if remaining.is_zero() {
            return Err(self.expired());
        }
        let client = &self.call.client;
        let head = RequestHead {
            exchange: client.session.access().exchange(),
            queue: &client.queue,
            method: self.call.method_text(),
            encoding: self.encoding,
            signature: match self.encoding {
                Encoding::Bincode => self.call.signature(),
                _ => SmolStr::default(),
            },
            correlation_id: guard.correlation_id(),
            message_id: self.call.message_id,
            reply_to: (!self.call.oneway).then(|| caller.channel.callback_queue()),
            remaining: self.call.deadline_travels().then_some(remaining),
            sent: clock::unix_milliseconds(now),
            persistent: self.call.persistent,
            priority: self.call.priority,
            user_id: caller.channel.announced_user(),
            headers: self.headers.as_deref().unwrap_or(&self.call.headers),
        };
        let correlation_id = field::display(guard.correlation_id());
        self.call.span.record("messaging.message.conversation_id", correlation_id);
        let message = wire::write_request(head, self.body.clone());
        let taken = caller.channel.publish(guard.correlation_id(), message).is_ok();
        if taken && !self.handed_over {
            self.handed_over = true;
            self.call.left();
        }
        Ok(taken)
    }

    /// Notes that nothing that was sent has run.
    fn take_back(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            self.call.came_back();
        }
    }
}

fn too_many_in_flight() -> CallError {
    let message = "as many calls as allowed are in flight on this broker";
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}
