//! Queues and exchanges as they are declared.

use rpc_amqp::{DeclaredQueue, Error, ExchangeDeclaration, QueueDeclaration, Value};
use smol_str::SmolStr;

use super::{
    driver::{DriverChannel, DriverConnection},
    error,
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    transport::{ListenerOptions, Queue, QueueArgument, QueueState, QueueType},
};

/// The type of the framework's exchanges.
const TOPIC: &str = "topic";

/// What to do about a queue that others declared in another way.
const DECLARE_ALIKE: &str = "declare it alike, or take it as it is with `Queue::passive`";

/// Declares the queue of a service, unless it is to be taken as it is.
pub(super) async fn declare_service(
    channel: &impl DriverChannel,
    queue: &Queue,
    exchange: &str,
) -> Result<(), BrokerError> {
    let name = queue.name();
    let arguments = if queue.passive { Vec::new() } else { arguments(queue) };
    let declaration = QueueDeclaration {
        name,
        passive: queue.passive,
        durable: true,
        arguments: &arguments,
        ..QueueDeclaration::default()
    };
    channel.declare_queue(declaration).await.map_err(|why| {
        let error = error::during(&format!("declaring the queue {name:?}"), why);
        match error.kind() {
            BrokerErrorKind::DeclaredDifferently => error.remedy(DECLARE_ALIKE),
            BrokerErrorKind::NotFound => error.remedy("somebody has to declare it first"),
            _ => error,
        }
    })?;
    if !exchange.is_empty() {
        declare_exchange(channel, exchange).await?;
        bind(channel, name, exchange, &format!("{name}.*")).await?;
    }
    Ok(())
}

async fn declare_exchange(channel: &impl DriverChannel, name: &str) -> Result<(), BrokerError> {
    let topic = ExchangeDeclaration { name, kind: TOPIC, durable: true, passive: false };
    let declaring = |why| error::during(&format!("declaring the exchange {name:?}"), why);
    channel.declare_exchange(topic).await.map_err(declaring)
}

async fn bind(
    channel: &impl DriverChannel,
    queue: &str,
    exchange: &str,
    routing_key: &str,
) -> Result<(), BrokerError> {
    let binding = |why| error::during(&format!("binding the queue {queue:?}"), why);
    channel.bind_queue(queue, exchange, routing_key).await.map_err(binding)
}

/// The arguments of a declaration, in the types of AMQP.
fn arguments(queue: &Queue) -> Vec<(SmolStr, Value)> {
    let value = |value| match value {
        QueueArgument::Text(text) => Value::Text(text.into()),
        QueueArgument::Integer(number) => Value::Integer(number),
        QueueArgument::Boolean(flag) => Value::Boolean(flag),
    };
    let declared = queue.declared_arguments().into_iter();
    declared.map(|(name, argument)| (name.into(), value(argument))).collect()
}

/// Declares a queue that is named by the broker, and gone with the channel that consumes it.
async fn declare_own(
    channel: &impl DriverChannel,
    arguments: &[(SmolStr, Value)],
) -> Result<SmolStr, Error> {
    let declaration = QueueDeclaration {
        exclusive: true,
        auto_delete: true,
        arguments,
        ..QueueDeclaration::default()
    };
    channel.declare_queue(declaration).await.map(|declared| declared.name)
}

/// Declares a queue that listens to a topic exchange, named by the server and gone with the channel that consumes it.
pub(super) async fn declare_listener(
    channel: &impl DriverChannel,
    options: &ListenerOptions,
) -> Result<SmolStr, BrokerError> {
    declare_exchange(channel, &options.exchange).await?;
    let classic = Queue::default().max_length(options.max_length);
    let queue = declare_own(channel, &arguments(&classic)).await.map_err(|why| {
        error::during(&format!("declaring a queue to listen to {:?}", options.exchange), why)
    })?;
    for key in &options.keys {
        bind(channel, &queue, &options.exchange, key).await?;
    }
    Ok(queue)
}

/// How a queue stands. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn queue_state(
    connection: &impl DriverConnection,
    queue: &str,
) -> Result<Option<QueueState>, BrokerError> {
    let looking = |why| error::during(&format!("looking for the queue {queue:?}"), why);
    let channel = connection.open_channel().await.map_err(looking)?;
    let look = QueueDeclaration { name: queue, passive: true, ..QueueDeclaration::default() };
    match channel.declare_queue(look).await.map_err(looking) {
        Ok(DeclaredQueue { messages, consumers, .. }) => {
            Ok(Some(QueueState { messages, consumers }))
        }
        Err(error) if error.kind() == BrokerErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails unless the exchange exists. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn check_exchange(
    connection: &impl DriverConnection,
    name: &str,
) -> Result<(), BrokerError> {
    if name.is_empty() {
        return Ok(());
    }
    let looking = |why| error::during(&format!("looking for the exchange {name:?}"), why);
    let channel = connection.open_channel().await.map_err(looking)?;
    let look = ExchangeDeclaration { name, kind: TOPIC, durable: true, passive: true };
    channel.declare_exchange(look).await.map_err(looking)
}

/// Declares a callback queue, named by the broker and gone with the channel that consumes it.
pub(super) async fn declare_callback(channel: &impl DriverChannel) -> Result<SmolStr, BrokerError> {
    let classic =
        (SmolStr::new_static("x-queue-type"), Value::Text(QueueType::Classic.as_str().into()));
    declare_own(channel, &[classic])
        .await
        .map_err(|why| error::during("declaring a callback queue", why))
}
