//! A caller's channel: requests leave it, replies come to it.

use std::sync::Arc;

use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    Wire,
    rules::{Fault, Origin, Way},
};
use crate::{
    error::BrokerError,
    message::{HeaderValue, Message, Properties},
    transport::{BoxFuture, BrokerFuture, CallerChannel, CallerSink, ChannelGone, PublishOutcome},
    wire::DISCOVERY_EXCHANGE,
};

/// What a worker notes on a reply.
const QUEUE: SmolStr = SmolStr::new_static("x-injected-queue");
const METHOD: SmolStr = SmolStr::new_static("x-injected-method");

impl Origin {
    /// Where a request goes; `None` for a question of discovery.
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

    pub(super) fn note_on(self, reply: &mut Properties) {
        reply.headers.push((QUEUE, HeaderValue::Text(self.queue)));
        if let Some(method) = self.method {
            reply.headers.push((METHOD, HeaderValue::Text(method)));
        }
    }

    /// Takes off what was noted; `None` if nothing was.
    fn noted_on(reply: &mut Properties) -> Option<Self> {
        let mut noted = |name: SmolStr| {
            let at = reply.headers.iter().rposition(|(known, _)| *known == name)?;
            match reply.headers.remove(at) {
                (_, HeaderValue::Text(text)) => Some(text),
                _ => None,
            }
        };
        let method = noted(METHOD);
        Some(Self { queue: noted(QUEUE)?, method })
    }
}

pub(super) struct FaultySink {
    pub(super) inner: Arc<dyn CallerSink>,
    pub(super) wire: Arc<Wire>,
}

impl CallerSink for FaultySink {
    fn reply(&self, mut message: Message) {
        if self.wire.is_cut() {
            return;
        }
        let Some(origin) = Origin::noted_on(&mut message.properties) else {
            return self.inner.reply(message);
        };
        let injected = &self.wire.injected;
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
                    // Without room it is lost, as in a network that has none.
                    self.wire.later(time, move || sink.reply(message));
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
        let wire = &self.sink.wire;
        if wire.is_cut() {
            return Err(ChannelGone);
        }
        let Some(origin) = Origin::of_request(&message) else {
            return self.inner.publish(correlation_id, message);
        };
        let kinds = [Fault::ReturnRequest, Fault::RejectRequest, Fault::DropRequest];
        let fault = wire.injected.rules().take(&kinds, &origin);
        let outcome = match fault {
            Some(Fault::ReturnRequest) => PublishOutcome::Unroutable,
            Some(Fault::RejectRequest) => PublishOutcome::Rejected,
            Some(_) => PublishOutcome::Accepted,
            None => {
                let delay = wire.injected.rules().delay_of(Way::There, &origin);
                let Some(time) = delay else { return self.inner.publish(correlation_id, message) };
                let inner = self.inner.clone();
                // Where the channel is gone by then, its calls have ended with it.
                if wire.later(time, move || drop(inner.publish(correlation_id, message))) {
                    return Ok(());
                }
                PublishOutcome::Rejected
            }
        };
        self.sink.settled(correlation_id, outcome);
        Ok(())
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        self.sink.wire.lost_or(self.inner.closed())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        self.sink.wire.lost_or(self.inner.exhausted())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        self.inner.rejecting()
    }

    fn reopen(&self) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async {
            let inner = tokio::select! {
                biased;
                reason = self.sink.wire.lost() => return Err(reason),
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
    fn the_queue_of_a_request_is_known_with_an_exchange_and_without() {
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
    fn what_a_worker_notes_on_a_reply_is_taken_off_again() {
        let plain = Properties {
            headers: smallvec![("rpc-fault".into(), HeaderValue::Text("expired".into()))],
            ..Properties::default()
        };
        for method in [Some("fib".into()), None] {
            let origin = Origin { queue: "Fibonacci".into(), method };
            let mut noted = plain.clone();
            origin.clone().note_on(&mut noted);
            assert_ne!(noted, plain);
            assert_eq!(Origin::noted_on(&mut noted), Some(origin));
            assert_eq!(noted, plain);
        }
        assert_eq!(Origin::noted_on(&mut plain.clone()), None);
    }
}
