//! What a broker must do for this framework. The in-memory broker and RabbitMQ, over rpc-amqp and over lapin, pass the same
//! tests.

mod deliveries;
mod exchanges;
mod limits;
mod replies;

use std::{
    future::poll_fn,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use self::{deliveries::*, exchanges::*, limits::*, replies::*};
use super::{
    CallerChannel, CallerOptions, CallerSink, Connection, Deliveries, ListenerOptions, Overflow,
    PublishOutcome, Queue, QueueState, Tls, Transport, WorkerChannel, WorkerOptions,
    amqp::{AmqpOptions, AmqpTransport},
    memory::MemoryTransport,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    message::{Delivery, Expiration, HeaderValue, Id, Message, Properties},
};

/// Longer than any step of a test takes.
const SOON: Duration = Duration::from_secs(10);
/// Long enough to see that nothing arrives.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Each line is a test. It runs on both brokers, and on the in-memory broker behind the fault injection, without faults.
macro_rules! conformance {
    ($($name:ident $(, not over lapin: $why:literal)?;)*) => {
        mod in_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Fixture::new(super::MemoryTransport::default()).await).await;
                }
            )*
        }

        #[cfg(feature = "testing")]
        mod without_faults {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Fixture::new(super::faulty_transport()).await).await;
                }
            )*
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Fixture::new(super::rabbitmq_transport().await).await).await;
                }
            )*
        }

        #[cfg(feature = "lapin")]
        mod over_lapin {
            $(over_lapin! { $name $($why)? })*
        }
    };
}

#[cfg(feature = "lapin")]
macro_rules! over_lapin {
    ($name:ident) => {
        #[tokio::test]
        async fn $name() {
            super::$name(super::Fixture::new(super::lapin_transport().await).await).await;
        }
    };
    ($name:ident $why:literal) => {};
}

conformance! {
    a_message_reaches_one_of_the_competing_consumers;
    requests_are_received_in_batches_in_order;
    a_consumer_obeys_its_prefetch;
    an_unacknowledged_message_is_redelivered;
    a_requeued_message_is_redelivered;
    a_request_to_a_missing_queue_is_returned;
    a_full_queue_rejects;
    without_confirms_a_full_queue_drops_unseen;
    a_full_queue_that_drops_keeps_the_newest;
    an_expired_request_is_not_delivered;
    the_ttl_of_a_queue_expires_requests_too;
    a_reply_keeps_all_its_properties;
    ids_keep_their_bytes, not over lapin: "its short strings are UTF-8";
    an_undeliverable_reply_is_counted;
    direct_reply_to_carries_replies;
    unroutable_requests_are_returned_without_confirms;
    stopping_loses_no_request_and_accepts_no_more;
    a_lost_connection_ends_deliveries_and_callers;
    an_exchange_routes_by_queue_and_method;
    listeners_get_copies_that_match_their_keys;
    a_listeners_queue_is_deleted_with_its_channel;
    a_listeners_queue_keeps_the_newest;
    a_queue_reports_its_state;
    a_callback_queue_is_deleted_with_its_channel;
    a_missing_exchange_is_named;
    a_queue_declared_differently_is_named;
    a_passive_queue_has_to_exist;
    higher_priorities_come_first;
    a_quorum_queue_obeys_its_delivery_limit;
}

#[cfg(feature = "testing")]
fn faulty_transport() -> super::faults::FaultyTransport {
    super::faults::FaultyTransport::new(Arc::new(MemoryTransport::default()), Arc::default())
}

async fn rabbitmq_transport() -> AmqpTransport {
    AmqpTransport::new(&AmqpOptions {
        addresses: &[rpc_tests::Rabbit::shared().await.url().to_owned()],
        name: "conformance",
        heartbeat: Duration::from_secs(8),
        tls: &Tls::new(),
        external: false,
    })
    .unwrap()
}

#[cfg(feature = "lapin")]
async fn lapin_transport() -> super::lapin::LapinTransport {
    let url = rpc_tests::Rabbit::shared().await.url();
    super::lapin::LapinTransport::over_lapin(Arc::new(move || {
        let properties = lapin::ConnectionProperties::default();
        Box::pin(lapin::Connection::connect(url, properties))
    }))
}

/// One connection to the broker under test.
struct Fixture {
    connection: Arc<dyn Connection>,
    queue: Queue,
    undeliverable: Arc<AtomicU64>,
}

struct Caller {
    channel: Arc<dyn CallerChannel>,
    events: mpsc::UnboundedReceiver<Event>,
}

struct Worker {
    channel: Arc<dyn WorkerChannel>,
    deliveries: Box<dyn Deliveries>,
}

#[derive(Debug)]
enum Event {
    Reply(Arc<Message>),
    Settled(Uuid, PublishOutcome),
}

/// Compares only the variant, because errors cannot be compared.
impl PartialEq for PublishOutcome {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

struct Events(mpsc::UnboundedSender<Event>);

impl CallerSink for Events {
    fn reply(&self, message: Message) {
        let _ = self.0.send(Event::Reply(message.into()));
    }

    fn settled(&self, correlation_id: Uuid, outcome: PublishOutcome) {
        let _ = self.0.send(Event::Settled(correlation_id, outcome));
    }
}

impl Fixture {
    async fn new(transport: impl Transport) -> Self {
        let connection = transport.connect(None).await.unwrap();
        Self {
            connection,
            // The queue expires, in case a test fails before it can clean up.
            queue: Queue::named(format!("conformance-{}", Uuid::new_v4()))
                .argument("x-expires", 60_000),
            undeliverable: Arc::default(),
        }
    }

    fn options(&self, prefetch: u16) -> WorkerOptions {
        WorkerOptions {
            queue: self.queue.clone(),
            prefetch,
            exchange: String::new(),
            max_request: crate::limits::MAX_MESSAGE,
            undeliverable: self.undeliverable.clone(),
            refused: Arc::default(),
        }
    }

    async fn worker(&self, prefetch: u16) -> Worker {
        open_worker(&*self.connection, self.options(prefetch)).await.unwrap()
    }

    async fn caller(&self) -> Caller {
        self.caller_with(CallerOptions::default()).await
    }

    async fn caller_with(&self, options: CallerOptions) -> Caller {
        let (sender, events) = mpsc::unbounded_channel();
        let channel = self.connection.open_caller(options, Arc::new(Events(sender))).await.unwrap();
        Caller { channel, events }
    }

    fn request(&self, body: &str) -> Message {
        message(self.queue.name(), body)
    }
}

async fn open_worker(
    connection: &dyn Connection,
    options: WorkerOptions,
) -> Result<Worker, BrokerError> {
    let (channel, deliveries) = connection.open_worker(options).await?;
    Ok(Worker { channel, deliveries })
}

fn message(routing_key: &str, body: &str) -> Message {
    Message {
        routing_key: routing_key.into(),
        mandatory: true,
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..Message::default()
    }
}

impl Caller {
    fn publish(&self, mut message: Message) -> Uuid {
        let id = Uuid::new_v4();
        message.properties.correlation_id = Some(Id::Uuid(id));
        self.channel.publish(id, message).unwrap();
        id
    }

    /// Publishes, and waits for the outcome.
    async fn outcome_of(&mut self, message: Message) -> PublishOutcome {
        let id = self.publish(message);
        loop {
            match self.event().await {
                Event::Settled(settled, outcome) if settled == id => return outcome,
                _ => {}
            }
        }
    }

    /// Publishes, and waits until the request is returned, whatever comes before. The broker has handled all earlier
    /// requests then.
    async fn returned(&mut self, message: Message) {
        let id = self.publish(message);
        loop {
            if let Event::Settled(settled, PublishOutcome::Unroutable) = self.event().await {
                assert_eq!(settled, id);
                return;
            }
        }
    }

    async fn event(&mut self) -> Event {
        timeout(SOON, self.events.recv()).await.expect("an event").expect("an open channel")
    }

    async fn reply(&mut self) -> Arc<Message> {
        loop {
            if let Event::Reply(reply) = self.event().await {
                return reply;
            }
        }
    }
}

impl Worker {
    async fn next(&mut self) -> Delivery {
        timeout(SOON, self.deliveries.next()).await.expect("a delivery").expect("an open channel")
    }

    async fn expect_nothing(&mut self) {
        let received = timeout(A_MOMENT, self.deliveries.next()).await;
        assert!(received.is_err(), "nothing was expected: {received:?}");
    }
}

fn text(message: &impl Deref<Target = Message>) -> &str {
    std::str::from_utf8(&message.body).unwrap()
}
