//! Queues and exchanges as they are declared.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    channel::Channel,
    error,
    mux::{Ended, Mux},
    wire::{Answer, Command, QueueDeclaration},
};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    transport::{ListenerOptions, Queue, QueueArgument, QueueState, QueueType},
};

/// What to do about a queue that others declared in another way.
const DECLARE_ALIKE: &str = "declare it alike, or take it as it is with `Queue::passive`";

/// Declares the queue of a service, unless it is to be taken as it is.
pub(super) async fn declare_service(
    channel: &Channel,
    queue: &Queue,
    exchange: &str,
) -> Result<(), BrokerError> {
    let name = queue.name();
    let arguments = if queue.passive { Vec::new() } else { queue.declared_arguments() };
    let declaration = QueueDeclaration {
        name,
        passive: queue.passive,
        durable: true,
        own: false,
        arguments: &arguments,
    };
    declare(channel, declaration).await.map_err(|why| {
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

async fn declare_exchange(channel: &Channel, name: &str) -> Result<(), BrokerError> {
    let command = Command::DeclareExchange { name, passive: false };
    let declaring = |why| error::during(&format!("declaring the exchange {name:?}"), why);
    channel.ask(&command).await.map(drop).map_err(declaring)
}

async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    routing_key: &str,
) -> Result<(), BrokerError> {
    let command = Command::Bind { queue, exchange, routing_key };
    let binding = |why| error::during(&format!("binding the queue {queue:?}"), why);
    channel.ask(&command).await.map(drop).map_err(binding)
}

/// Returns what the queue is called, and how it stands.
async fn declare(
    channel: &Channel,
    queue: QueueDeclaration<'_>,
) -> Result<(SmolStr, QueueState), Ended> {
    match channel.ask(&Command::DeclareQueue(queue)).await? {
        Answer::Queue { name, messages, consumers } => {
            Ok((name, QueueState { messages, consumers }))
        }
        _ => Err(Ended::out_of_turn()),
    }
}

/// Declares a queue that is named by the broker, and gone with the channel that consumes it.
async fn declare_own(
    channel: &Channel,
    arguments: &[(String, QueueArgument)],
) -> Result<SmolStr, Ended> {
    let declaration = QueueDeclaration { own: true, arguments, ..QueueDeclaration::default() };
    declare(channel, declaration).await.map(|(name, _)| name)
}

/// Declares a queue that listens to a topic exchange, named by the server and gone with the channel that consumes it.
pub(super) async fn declare_listener(
    channel: &Channel,
    options: &ListenerOptions,
) -> Result<SmolStr, BrokerError> {
    declare_exchange(channel, &options.exchange).await?;
    let classic = Queue::default().max_length(options.max_length);
    let queue = declare_own(channel, &classic.declared_arguments()).await.map_err(|why| {
        error::during(&format!("declaring a queue to listen to {:?}", options.exchange), why)
    })?;
    for key in &options.keys {
        bind(channel, &queue, &options.exchange, key).await?;
    }
    Ok(queue)
}

/// How a queue stands. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn queue_state(
    mux: &Arc<Mux>,
    queue: &str,
) -> Result<Option<QueueState>, BrokerError> {
    let looking = |why| error::during(&format!("looking for the queue {queue:?}"), why);
    let channel = Channel::open(mux).await.map_err(looking)?;
    let look = QueueDeclaration { name: queue, passive: true, ..QueueDeclaration::default() };
    match declare(&channel, look).await.map_err(looking) {
        Ok((_, state)) => Ok(Some(state)),
        Err(error) if error.kind() == BrokerErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails unless the exchange exists. A missing one closes the channel that asks, so that channel is one of its own.
pub(super) async fn check_exchange(mux: &Arc<Mux>, name: &str) -> Result<(), BrokerError> {
    if name.is_empty() {
        return Ok(());
    }
    let looking = |why| error::during(&format!("looking for the exchange {name:?}"), why);
    let channel = Channel::open(mux).await.map_err(looking)?;
    let look = Command::DeclareExchange { name, passive: true };
    channel.ask(&look).await.map(drop).map_err(looking)
}

/// Declares a callback queue, named by the broker and gone with the channel that consumes it.
pub(super) async fn declare_callback(channel: &Channel) -> Result<SmolStr, BrokerError> {
    let classic = ("x-queue-type".to_owned(), QueueArgument::from(QueueType::Classic.as_str()));
    declare_own(channel, &[classic])
        .await
        .map_err(|why| error::during("declaring a callback queue", why))
}
