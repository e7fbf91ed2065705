//! Which of the requests on a channel the broker closed it for.
//!
//! RabbitMQ takes the messages of a channel in order, and closes it at the first that it refuses. It does not say which
//! one that was, but its text names the topic, the exchange or the size that it refused. Those before it have been dealt
//! with; those after it were never looked at.

use rpc_amqp::CloseReason;

use super::{error, requests::Sent};
use crate::transport::{CallerSink, PublishOutcome};

/// Settles the requests that were open when the broker closed their channel, in the order of their sending. Where the cause is
/// not among them, any of them may be the cause.
pub(super) fn settle(refusal: &CloseReason, open: &[Sent], sink: &dyn CallerSink) {
    let Some(culprit) = culprit(&refusal.text, open) else {
        for sent in open {
            sink.settled(sent.correlation_id, PublishOutcome::Interrupted);
        }
        return;
    };
    for (index, sent) in open.iter().enumerate() {
        let outcome = match index.cmp(&culprit) {
            std::cmp::Ordering::Less => PublishOutcome::Passed,
            std::cmp::Ordering::Equal => {
                PublishOutcome::Refused(error::refused("sending a request", refusal))
            }
            std::cmp::Ordering::Greater => PublishOutcome::Ignored,
        };
        sink.settled(sent.correlation_id, outcome);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rpc_amqp::Connection;
    use tokio::io::{AsyncWriteExt as _, duplex};
    use uuid::Uuid;

    use super::{
        super::tests::{connect, handshake},
        *,
    };
    use crate::{lock::lock, message::Message};

    #[derive(Default)]
    struct Settled(Mutex<Vec<(u128, PublishOutcome)>>);

    impl CallerSink for Settled {
        fn reply(&self, _: Message) {}

        fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome) {
            let mut settled = lock(&self.0);
            settled.push((correlation_id.as_u128(), outcome));
        }
    }

    /// Requests to these queues, with bodies of 100, 200 and so on.
    fn sent(connection: &Connection, queues: &[&str]) -> Vec<Sent> {
        let sent = |(index, queue): (usize, &&str)| {
            let size = 100 * (index + 1);
            let held = connection.send_window().hold(size);
            Sent::new(Uuid::from_u128(index as u128), (*queue).into(), size, held)
        };
        queues.iter().enumerate().map(sent).collect()
    }

    #[tokio::test]
    async fn a_refusal_settles_the_requests_around_its_cause() {
        let (mut broker, socket) = duplex(4096);
        broker.write_all(&handshake()).await.unwrap();
        let (connection, _) = connect(socket).await;
        let open = sent(&connection, &["a", "b", "c"]);
        for (text, expected) in [
            ("PRECONDITION_FAILED - message size 200 is larger than 150", "Passed Refused Ignored"),
            ("ACCESS_REFUSED - access to topic 'c' in exchange 'x'", "Passed Passed Refused"),
            ("NOT_FOUND - no exchange 'x' in vhost '/'", "Refused Ignored Ignored"),
            (
                "ACCESS_REFUSED - access to topic 'z' in exchange 'x'",
                "Interrupted Interrupted Interrupted",
            ),
            ("PRECONDITION_FAILED - user_id property set to 'x'", "Refused Ignored Ignored"),
            ("INTERNAL_ERROR", "Interrupted Interrupted Interrupted"),
        ] {
            let settled = Settled::default();
            settle(&CloseReason { code: 406, text: text.into() }, &open, &settled);
            let settled = settled.0.into_inner().unwrap();
            let ids: Vec<u128> = settled.iter().map(|(id, _)| *id).collect();
            let outcomes: Vec<String> = settled
                .iter()
                .map(|(_, outcome)| format!("{outcome:?}").split('(').next().unwrap().to_owned())
                .collect();
            assert_eq!(
                (&ids[..], outcomes.join(" ").as_str()),
                (&[0, 1, 2][..], expected),
                "{text}"
            );
        }
    }
}
