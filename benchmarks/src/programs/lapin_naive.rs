//! The same over lapin in the style of its examples: each publish is awaited, then each request is acknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicPublishOptions};
use lapin::types::ShortString;
use lapin::{Channel, Consumer};
use rpc_benchmarks::arguments::{ClientArguments, Role, ServerArguments, serving, terminated};
use rpc_benchmarks::{Failure, keep_in_flight};
use tokio::sync::oneshot;

use crate::raw::{self, Consuming};

pub(crate) async fn run(role: Role) -> Result<(), Failure> {
    match role {
        Role::Server(arguments) => tokio::select! {
            ended = serve(arguments) => ended,
            ended = terminated() => ended,
        },
        Role::Client(arguments) => call(arguments).await,
    }
}

async fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    let Consuming { connection: _connection, channel, mut consumer, .. } =
        raw::requests(&arguments.common).await?;
    serving();
    while let Some(delivery) = consumer.next().await {
        let mut delivery = delivery?;
        let (properties, reply_to) = raw::reply(&delivery.properties);
        let answer = raw::answer(std::mem::take(&mut delivery.data));
        channel
            .basic_publish(
                ShortString::default(),
                reply_to,
                BasicPublishOptions::default(),
                &answer,
                properties,
            )
            .await?
            .await?;
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

async fn call(arguments: ClientArguments) -> Result<(), Failure> {
    let Consuming { connection: _connection, channel, consumer, queue: reply_to } =
        raw::replies(&arguments.common).await?;
    let pending = Pending::default();
    let reading = tokio::spawn(read(consumer, pending.clone()));
    let caller = Caller { channel, queue: arguments.common.queue.into(), reply_to, pending };
    let payload = arguments.load.payload;
    let report =
        keep_in_flight(arguments.load, |number| caller.call(raw::body(number, payload))).await?;
    println!("{report}");
    reading.abort();
    Ok(())
}

type Pending = Arc<Mutex<HashMap<ShortString, oneshot::Sender<Vec<u8>>>>>;

struct Caller {
    channel: Channel,
    queue: ShortString,
    reply_to: ShortString,
    pending: Pending,
}

impl Caller {
    async fn call(&self, body: Vec<u8>) -> Result<(), Failure> {
        let id = raw::fresh_id();
        let (sender, reply) = oneshot::channel();
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), sender);
        let properties = raw::request(&id, &self.reply_to);
        self.channel
            .basic_publish(
                ShortString::default(),
                self.queue.clone(),
                raw::mandatory(),
                &body,
                properties,
            )
            .await?
            .await?;
        let reply = reply.await?;
        if reply.len() == body.len() { Ok(()) } else { Err("not the answer".into()) }
    }
}

async fn read(mut consumer: Consumer, pending: Pending) -> Result<(), lapin::Error> {
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        let Some(id) = delivery.properties.correlation_id() else { continue };
        let caller = pending.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(caller) = caller {
            // The caller may have stopped waiting.
            let _ = caller.send(delivery.data);
        }
    }
    Ok(())
}
