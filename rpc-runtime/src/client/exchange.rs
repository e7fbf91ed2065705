//! One call on the wire: from the first sending to the one outcome.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::{
    draft::{Deadline, Draft},
    pending::{Outcome, Ticket},
    retry::RetryBudget,
};
use crate::{
    broker::{NotReady, OpenCaller, pauses},
    codec::Encoding,
    envelope::{self, ReceivedReply, RequestHead},
    error::{BrokerError, BrokerErrorKind, CallError},
    fault::{Fault, FaultKind},
    limits,
};

/// Sends a call and waits for what comes of it, within its deadline.
pub(super) async fn run(mut draft: Draft) -> Result<ReceivedReply, CallError> {
    let deadline = draft.deadline();
    let body = std::mem::replace(&mut draft.body, Ok(Bytes::new()))?;
    let mut exchange = Exchange {
        draft,
        deadline,
        body,
        message_id: Uuid::new_v4(),
        handed_over: false,
        pauses: None,
    };
    let ended = timeout_at(deadline.at, exchange.attempts()).await;
    ended.unwrap_or(Err(CallError::DeadlineExceeded { may_have_run: exchange.handed_over }))
}

struct Exchange {
    draft: Draft,
    deadline: Deadline,
    body: Bytes,
    message_id: Uuid,
    /// A request of this call may be in a queue, or with a server.
    handed_over: bool,
    /// Between attempts that were refused, once there was one.
    pauses: Option<Pauses>,
}

type Pauses = Box<dyn Iterator<Item = Duration> + Send>;

impl Exchange {
    /// Sends it until it has an outcome. It is sent again only if the method is idempotent or if nothing was sent.
    async fn attempts(&mut self) -> Result<ReceivedReply, CallError> {
        let broker = self.draft.client.broker.clone();
        let _slot = broker.slot().await.ok_or_else(too_many_in_flight)?;
        broker.retry_budget().pay();
        loop {
            let caller = broker.caller().await.map_err(|not_ready| match not_ready {
                NotReady::Down => CallError::ConnectionLost { may_have_run: self.handed_over },
                NotReady::Blocked(reason) if !self.handed_over => broker_full(&reason),
                NotReady::Blocked(_) => CallError::ConnectionLost { may_have_run: true },
                NotReady::Never(error) => refused(error),
            })?;
            let Ok(ticket) = broker.pending().enter(caller.number, self.draft.oneway) else {
                caller.wait_until_replaced(&broker).await;
                continue;
            };
            let handed_over_before = self.handed_over;
            if !self.publish(&caller, &ticket)? {
                caller.wait_until_replaced(&broker).await;
                continue;
            }
            match ticket.outcome().await {
                Outcome::Reply(message) => {
                    let reply = envelope::read_reply(*message, self.draft.client.encoding);
                    match &reply {
                        ReceivedReply::Fault(fault) if fault.is_retryable() => {
                            if !self.may_ask_again(broker.retry_budget()).await {
                                return Ok(reply);
                            }
                        }
                        _ => return Ok(reply),
                    }
                }
                Outcome::Accepted => return Ok(nothing()),
                Outcome::Unroutable => return Err(CallError::NoServer),
                Outcome::Rejected => {
                    if !self.may_ask_again(broker.retry_budget()).await {
                        return Err(queue_full(&self.draft.client.queue));
                    }
                }
                Outcome::Refused(error) => return Err(refused(error)),
                Outcome::Ignored => self.handed_over = handed_over_before,
                Outcome::Lost if self.draft.idempotent => {}
                Outcome::Lost => return Err(CallError::ConnectionLost { may_have_run: true }),
            }
        }
    }

    /// Waits a while before a request that was refused for want of room is sent again; `false` if it is not to be.
    async fn may_ask_again(&mut self, budget: &RetryBudget) -> bool {
        if !self.draft.idempotent {
            return false;
        }
        let pauses = self.pauses.get_or_insert_with(|| Box::new(pauses()));
        let pause = pauses.next().unwrap_or(limits::LONGEST_PAUSE);
        // To be refused now is worth more than to be cut off in the middle of the pause.
        let in_time = Instant::now() + pause < self.deadline.at;
        if !in_time || !budget.spend() {
            return false;
        }
        sleep(pause).await;
        true
    }

    /// Hands the request to the transport; `false` if it would not take it.
    fn publish(&mut self, caller: &OpenCaller, ticket: &Ticket) -> Result<bool, CallError> {
        let remaining = self.deadline.at.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(CallError::DeadlineExceeded { may_have_run: self.handed_over });
        }
        let client = &self.draft.client;
        let head = RequestHead {
            exchange: client.broker.exchange(),
            queue: &client.queue,
            method: self.draft.method_name(),
            encoding: client.encoding,
            signature: match client.encoding {
                Encoding::Bincode => self.draft.signature(),
                _ => "",
            },
            correlation_id: ticket.correlation_id(),
            message_id: self.message_id,
            reply_to: (!self.draft.oneway).then(|| caller.channel.callback_queue()),
            remaining: self.deadline.travels.then_some(remaining),
            persistent: self.draft.persistent,
            priority: self.draft.priority,
            user_id: caller.channel.announced_user(),
            headers: &self.draft.headers,
        };
        let message = envelope::write_request(&head, self.body.clone());
        let taken = caller.channel.publish(ticket.correlation_id(), message).is_ok();
        self.handed_over |= taken;
        Ok(taken)
    }
}

/// What a one-way request ends with: the encoding of `()`.
fn nothing() -> ReceivedReply {
    ReceivedReply::Result { body: Bytes::new(), encoding: Encoding::Bincode }
}

fn refused(error: BrokerError) -> CallError {
    match error.kind() {
        // The exchange is declared by the servers, like their queues.
        BrokerErrorKind::NotFound => CallError::NoServer,
        _ => CallError::Broker(error),
    }
}

fn broker_full(reason: &str) -> CallError {
    let message = format!("the broker takes no messages: {reason}");
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}

fn too_many_in_flight() -> CallError {
    let message = "as many calls as allowed are in flight on this broker";
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}

fn queue_full(queue: &str) -> CallError {
    // RabbitMQ does not say which.
    let message = format!(
        "the queue {queue:?} would not take the request; it is full, or has no leader just now"
    );
    CallError::Refused(Fault::new(FaultKind::Overloaded, message))
}
