//! Which of the requests on a channel the broker closed it for.
//!
//! RabbitMQ takes the messages of a channel in order, and closes it at the first that it refuses. It does not say which
//! one that was, but its text names the topic, the exchange or the size that it refused. Those before it have been dealt
//! with; those after it were never looked at.

use rpc_amqp::CloseReason;

use super::{error, requests::Sent};
use crate::transport::{CallerSink, Fate};

/// Tells what became of the requests that were open when their channel ended, in the order of their sending. Without a
/// refusal nothing is told. Where its cause is not among them, any of them may be the cause.
pub(super) fn settle(refusal: &CloseReason, open: &[Sent], sink: &dyn CallerSink) {
    let Some(culprit) = culprit(&refusal.text, open) else {
        for sent in open {
            sink.settled(sent.correlation_id, Fate::Interrupted);
        }
        return;
    };
    for (index, sent) in open.iter().enumerate() {
        let fate = match index.cmp(&culprit) {
            std::cmp::Ordering::Less => Fate::Passed,
            std::cmp::Ordering::Equal => {
                Fate::Refused(error::refused("sending a request", refusal))
            }
            std::cmp::Ordering::Greater => Fate::Ignored,
        };
        sink.settled(sent.correlation_id, fate);
    }
}

fn culprit(text: &str, open: &[Sent]) -> Option<usize> {
    if text.contains("to topic '") {
        open.iter().position(|sent| text.contains(&format!("'{}'", sent.routing_key)))
    } else if text.contains("message size ") {
        open.iter().position(|sent| text.contains(&format!("message size {} ", sent.size)))
    } else if text.contains("exchange '") || text.contains("user_id") {
        // It is refused to all alike, so the first one met it.
        (!open.is_empty()).then_some(0)
    } else {
        None
    }
}
