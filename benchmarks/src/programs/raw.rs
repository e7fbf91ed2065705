//! The common parts of both programs over lapin: connect, declare, consume.

use futures_util::FutureExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, PublisherConfirm,
};
use uuid::Uuid;

use rpc_benchmarks::Failure;
use rpc_benchmarks::arguments::{Common, NUMBER};

/// A connection with one channel that consumes one queue.
#[derive(Debug)]
pub(crate) struct Consuming {
    /// Closed when dropped.
    pub(crate) connection: Connection,
    /// The channel.
    pub(crate) channel: Channel,
    /// Its consumer.
    pub(crate) consumer: Consumer,
    /// The queue.
    pub(crate) queue: ShortString,
}

/// Consumes the queue of requests, with acknowledgements and without a prefetch limit.
///
/// # Errors
///
/// If the broker refuses.
pub(crate) async fn requests(common: &Common) -> Result<Consuming, Failure> {
    let mut arguments = FieldTable::default();
    // Expires by itself on a broker that is not thrown away.
    arguments.insert("x-expires".into(), 60_000.into());
    consume(common, &common.queue, QueueDeclareOptions::durable(), arguments, false).await
}

/// Consumes a callback queue: exclusive, named by the broker, without acknowledgements.
///
/// # Errors
///
/// If the broker refuses.
pub(crate) async fn replies(common: &Common) -> Result<Consuming, Failure> {
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    consume(common, "", exclusive, FieldTable::default(), true).await
}

async fn consume(
    common: &Common,
    queue: &str,
    declare: QueueDeclareOptions,
    arguments: FieldTable,
    no_ack: bool,
) -> Result<Consuming, Failure> {
    let connection = Connection::connect(&common.url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let declared = channel.queue_declare(queue.into(), declare, arguments).await?;
    let queue = declared.name().clone();
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    let consumer = channel
        .basic_consume(queue.clone(), ShortString::default(), options, FieldTable::default())
        .await?;
    Ok(Consuming { connection, channel, consumer, queue })
}

/// How requests are published.
pub(crate) fn mandatory() -> BasicPublishOptions {
    BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() }
}

/// The properties of a request.
pub(crate) fn request(id: &ShortString, reply_to: &ShortString) -> BasicProperties {
    BasicProperties::default().with_correlation_id(id.clone()).with_reply_to(reply_to.clone())
}

/// Publishes all of these without waiting in between: lapin queues a message when its future is first polled. Returns
/// when all are on the socket.
///
/// # Errors
///
/// The first publish that failed.
pub(crate) async fn publish_all<P>(publishes: impl Iterator<Item = P>) -> Result<(), Failure>
where
    P: Future<Output = Result<PublisherConfirm, lapin::Error>>,
{
    let mut on_their_way = Vec::new();
    for publish in publishes {
        let mut publish = Box::pin(publish);
        match (&mut publish).now_or_never() {
            Some(sent) => drop(sent?),
            None => on_their_way.push(publish),
        }
    }
    for publish in on_their_way {
        publish.await?;
    }
    Ok(())
}

/// An id that no other request has.
pub(crate) fn fresh_id() -> ShortString {
    Uuid::new_v4().to_string().into()
}

/// The properties of the reply to a request, and its queue.
pub(crate) fn reply(request: &BasicProperties) -> (BasicProperties, ShortString) {
    let mut properties = BasicProperties::default();
    if let Some(id) = request.correlation_id() {
        properties = properties.with_correlation_id(id.clone());
    }
    (properties, request.reply_to().clone().unwrap_or_default())
}

/// The body of a request.
pub(crate) fn body(number: u64, payload: usize) -> Vec<u8> {
    if payload == NUMBER { number.to_le_bytes().to_vec() } else { vec![0x5a; payload] }
}

/// The body of a reply: the next number, or an echo.
pub(crate) fn answer(body: Vec<u8>) -> Vec<u8> {
    match <[u8; NUMBER]>::try_from(body.as_slice()) {
        Ok(number) => u64::from_le_bytes(number).wrapping_add(1).to_le_bytes().to_vec(),
        Err(_) => body,
    }
}
