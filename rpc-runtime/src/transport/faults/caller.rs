//! A caller's channel: sends requests and receives replies.

use std::sync::Arc;

use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    Shared,
    rules::{Fault, Origin, Way},
};
use crate::{
    error::BrokerError,
    message::{HeaderValue, Message, Properties},
    transport::{BoxFuture, BrokerFuture, CallerChannel, CallerSink, ChannelGone, PublishOutcome},
    wire::DISCOVERY_EXCHANGE,
};

/// The headers with which a worker marks a reply.
const QUEUE: SmolStr = SmolStr::new_static("x-injected-queue");
const METHOD: SmolStr = SmolStr::new_static("x-injected-method");

impl Origin {
    /// The origin of a request; `None` for a discovery request.
    fn of_request(message: &Message) -> Option<Self> {
        let method = message.properties.kind.clone();
        let queue = match (&*message.exchange, &method) {
            (DISCOVERY_EXCHANGE, _) => return None,
            ("", _) | (_, None) => &*message.routing_key,
            (_, Some(method)) => {
                let queue = message.routing_key.strip_suffix(&**method);
                queue.and_then(|queue| queue.strip_suffix('.')).unwrap_or(&message.routing_key)
            }
        };
        Some(Self { queue: queue.into(), method })
    }

    pub(super) fn mark(self, reply: &mut Properties) {
        reply.headers.push((QUEUE, HeaderValue::Text(self.queue)));
        if let Some(method) = self.method {
            reply.headers.push((METHOD, HeaderValue::Text(method)));
        }
    }

    /// Removes the marks from a reply; `None` if it has none.
    fn take_marks(reply: &mut Properties) -> Option<Self> {
        let mut take = |name: SmolStr| {
            let at = reply.headers.iter().rposition(|(key, _)| *key == name)?;
            match reply.headers.remove(at) {
                (_, HeaderValue::Text(text)) => Some(text),
                _ => None,
            }
        };
        let method = take(METHOD);
        Some(Self { queue: take(QUEUE)?, method })
    }
}

pub(super) struct FaultySink {
    pub(super) inner: Arc<dyn CallerSink>,
    pub(super) shared: Arc<Shared>,
}

impl CallerSink for FaultySink {
    fn reply(&self, mut message: Message) {
        if self.shared.is_cut() {
            return;
        }
        let Some(origin) = Origin::take_marks(&mut message.properties) else {
            return self.inner.reply(message);
        };
        let injected = &self.shared.injected;
        let fault = injected.rules().take(&[Fault::DropReply, Fault::DuplicateReply], &origin);
        let copies = match fault {
            Some(Fault::DropReply) => return,
            Some(_) => 2,
            None => 1,
        };
        let delay = injected.rules().delay_of(Way::Back, &origin);
        for message in vec![message; copies] {
            match delay {
                Some(time) => {
                    let sink = self.inner.clone();
                    // If the queue is full, the reply is lost, as in an overloaded network.
                    self.shared.later(time, move || sink.reply(message));
                }
                None => self.inner.reply(message),
            }
        }
    }

    fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome) {
        self.inner.settled(correlation_id, outcome);
    }
}

pub(super) struct FaultyCaller {
    pub(super) inner: Arc<dyn CallerChannel>,
    pub(super) sink: Arc<FaultySink>,
}

impl CallerChannel for FaultyCaller {
    fn callback_queue(&self) -> &SmolStr {
        self.inner.callback_queue()
    }

    fn announced_user(&self) -> Option<&SmolStr> {
        self.inner.announced_user()
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn publish(&self, correlation_id: Uuid, message: Message) -> Result<(), ChannelGone> {
        let shared = &self.sink.shared;
        if shared.is_cut() {
            return Err(ChannelGone);
        }
        let Some(origin) = Origin::of_request(&message) else {
            return self.inner.publish(correlation_id, message);
        };
        let kinds = [Fault::ReturnRequest, Fault::RejectRequest, Fault::DropRequest];
        let fault = shared.injected.rules().take(&kinds, &origin);
        let outcome = match fault {
            Some(Fault::ReturnRequest) => PublishOutcome::Unroutable,
            Some(Fault::RejectRequest) => PublishOutcome::Rejected,
            Some(_) => PublishOutcome::Accepted,
            None => {
                let delay = shared.injected.rules().delay_of(Way::There, &origin);
                let Some(time) = delay else { return self.inner.publish(correlation_id, message) };
                let inner = self.inner.clone();
                // If the channel has ended by then, its calls have ended, too.
                if shared.later(time, move || drop(inner.publish(correlation_id, message))) {
                    return Ok(());
                }
                PublishOutcome::Rejected
            }
        };
        self.sink.settled(correlation_id, outcome);
        Ok(())
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        self.sink.shared.lost_or(self.inner.closed())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        self.sink.shared.lost_or(self.inner.exhausted())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        self.inner.rejecting()
    }

    fn reopen(&self) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async {
            let inner = tokio::select! {
                biased;
                reason = self.sink.shared.lost() => return Err(reason),
                reopened = self.inner.reopen() => reopened?,
            };
            Ok(Arc::new(Self { inner, sink: self.sink.clone() }) as Arc<dyn CallerChannel>)
        })
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    fn request(exchange: &str, routing_key: &str, method: Option<&str>) -> Message {
        let kind = method.map(SmolStr::from);
        Message {
            exchange: exchange.into(),
            routing_key: routing_key.into(),
            properties: Properties { kind, ..Properties::default() },
            ..Message::default()
        }
    }

    #[test]
    fn the_queue_is_known_with_and_without_exchange() {
        for (exchange, key) in [("", "Fibonacci.v2"), ("calls", "Fibonacci.v2.fib")] {
            let origin = Origin::of_request(&request(exchange, key, Some("fib"))).unwrap();
            assert_eq!(origin.queue, "Fibonacci.v2");
            assert_eq!(origin.method.as_deref(), Some("fib"));
        }
        let unnamed = Origin::of_request(&request("", "jobs", None)).unwrap();
        assert_eq!(unnamed, Origin { queue: "jobs".into(), method: None });
        assert_eq!(Origin::of_request(&request(DISCOVERY_EXCHANGE, "all", None)), None);
    }

    #[test]
    fn the_marks_on_a_reply_are_removed_again() {
        let plain = Properties {
            headers: smallvec![("rpc-fault".into(), HeaderValue::Text("expired".into()))],
            ..Properties::default()
        };
        for method in [Some("fib".into()), None] {
            let origin = Origin { queue: "Fibonacci".into(), method };
            let mut marked = plain.clone();
            origin.clone().mark(&mut marked);
            assert_ne!(marked, plain);
            assert_eq!(Origin::take_marks(&mut marked), Some(origin));
            assert_eq!(marked, plain);
        }
        assert_eq!(Origin::take_marks(&mut plain.clone()), None);
    }
}
