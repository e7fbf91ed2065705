//! Queues and exchanges as they are declared.

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use super::error;
use crate::{
    cut::cut,
    envelope::MAX_SHORT_STRING,
    error::{BrokerError, BrokerErrorKind},
    transport::{ListenerOptions, Queue, QueueArgument, QueueState, QueueType},
};

/// What to do about a queue that others declared in another way.
const DECLARE_ALIKE: &str = "declare it alike, or take it as it is with `Queue::passive`";

/// Names are checked where they come in; this one only never panics, as lapin's does.
pub(super) fn short(mut text: String) -> ShortString {
    cut(&mut text, MAX_SHORT_STRING);
    ShortString::try_new(text).unwrap_or_default()
}

/// Declares the queue of a service, unless it is to be taken as it is.
pub(super) async fn declare_service(
    channel: &Channel,
    queue: &Queue,
    exchange: &str,
) -> Result<(), BrokerError> {
    let name = queue.name();
    let arguments =
        if queue.passive { FieldTable::default() } else { arguments(queue.declared_arguments()) };
    let options =
        QueueDeclareOptions { passive: queue.passive, durable: true, ..Default::default() };
    channel.queue_declare(short(name.to_owned()), options, arguments).await.map_err(|error| {
        let error = error::during(&format!("declaring the queue {name:?}"), error);
        match error.kind() {
            BrokerErrorKind::DeclaredDifferently => error.remedy(DECLARE_ALIKE),
            BrokerErrorKind::NotFound => error.remedy("somebody has to declare it first"),
            _ => error,
        }
    })?;
    if !exchange.is_empty() {
        declare_exchange(channel, exchange).await?;
        bind(channel, name, exchange, format!("{name}.*")).await?;
    }
    Ok(())
}

async fn declare_exchange(channel: &Channel, exchange: &str) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let name = short(exchange.to_owned());
    channel
        .exchange_declare(name, ExchangeKind::Topic, options, FieldTable::default())
        .await
        .map_err(|error| error::during(&format!("declaring the exchange {exchange:?}"), error))
}

async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    key: String,
) -> Result<(), BrokerError> {
    channel
        .queue_bind(
            short(queue.to_owned()),
            short(exchange.to_owned()),
            short(key),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(|error| error::during(&format!("binding the queue {queue:?}"), error))
}

/// Declares a queue that listens to a topic exchange, named by the server and gone with the channel that consumes it.
pub(super) async fn declare_listener(
    channel: &Channel,
    options: &ListenerOptions,
) -> Result<ShortString, BrokerError> {
    declare_exchange(channel, &options.exchange).await?;
    let of_queue = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let classic = Queue::default().max_length(options.max_length);
    let queue = channel
        .queue_declare(ShortString::default(), of_queue, arguments(classic.declared_arguments()))
        .await
        .map_err(|error| {
            error::during(&format!("declaring a queue to listen to {:?}", options.exchange), error)
        })?;
    for key in &options.keys {
        bind(channel, queue.name().as_str(), &options.exchange, key.clone()).await?;
    }
    Ok(queue.name().clone())
}

/// How a queue stands. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn queue_state(
    connection: &Connection,
    queue: &str,
) -> Result<Option<QueueState>, BrokerError> {
    let looking = |error| error::during(&format!("looking for the queue {queue:?}"), error);
    let channel = connection.create_channel().await.map_err(looking)?;
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let declared =
        channel.queue_declare(short(queue.to_owned()), options, FieldTable::default()).await;
    match declared.map_err(looking) {
        Ok(queue) => Ok(Some(QueueState {
            messages: queue.message_count(),
            consumers: queue.consumer_count(),
        })),
        Err(error) if error.kind() == BrokerErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails unless the exchange exists. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn check_exchange(
    connection: &Connection,
    exchange: &str,
) -> Result<(), BrokerError> {
    if exchange.is_empty() {
        return Ok(());
    }
    let looking = |error| error::during(&format!("looking for the exchange {exchange:?}"), error);
    let channel = connection.create_channel().await.map_err(looking)?;
    let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
    channel
        .exchange_declare(
            short(exchange.to_owned()),
            ExchangeKind::Topic,
            options,
            FieldTable::default(),
        )
        .await
        .map_err(looking)
}

/// Declares a callback queue, named by the server and gone with the channel that consumes it.
pub(super) async fn declare_callback(channel: &Channel) -> Result<ShortString, BrokerError> {
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let classic = ("x-queue-type".to_owned(), QueueArgument::from(QueueType::Classic.as_str()));
    let queue = channel
        .queue_declare(ShortString::default(), options, arguments(vec![classic]))
        .await
        .map_err(|error| error::during("declaring a callback queue", error))?;
    Ok(queue.name().clone())
}

fn arguments(declared: Vec<(String, QueueArgument)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in declared {
        let value = match value {
            QueueArgument::Text(text) => AMQPValue::LongString(text.into()),
            QueueArgument::Integer(number) => AMQPValue::LongLongInt(number),
            QueueArgument::Boolean(flag) => AMQPValue::Boolean(flag),
        };
        table.insert(short(name), value);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_and_never_panics() {
        assert_eq!(short("é".repeat(200)).as_str().len(), 254);
    }
}
