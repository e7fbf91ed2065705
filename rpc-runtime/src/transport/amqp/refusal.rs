//! Which of the requests on a channel the broker closed it for.
//!
//! RabbitMQ takes the messages of a channel in order, and closes it at the first that it refuses. It does not say which
//! one that was, but its text names the topic, the exchange or the size that it refused. Those before it have been dealt
//! with; those after it were never looked at.

use lapin::Error;

use super::{
    error::{self, refusal},
    settle::Sent,
};
use crate::transport::{CallerSink, Fate};

/// Tells what became of the requests that were open when their channel ended, in the order of their sending. Without a
/// refusal, or where its cause is not among them, their outcome is unknown and nothing is told.
pub(super) fn settle(error: &Error, open: &[Sent], sink: &dyn CallerSink) {
    let Some((_, text)) = refusal(error) else { return };
    let Some(culprit) = culprit(&text, open) else { return };
    for (index, sent) in open.iter().enumerate() {
        let fate = match index.cmp(&culprit) {
            std::cmp::Ordering::Less => Fate::Passed,
            std::cmp::Ordering::Equal => {
                Fate::Refused(error::during("sending a request", error.clone()))
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
