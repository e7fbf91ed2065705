//! The same over lapin, as fast as possible: all ready deliveries are handled as a batch, published without waiting in
//! between, and acknowledged together.

use std::collections::HashMap;
use std::time::Instant;

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::{BasicAckOptions, BasicPublishOptions};
use lapin::types::ShortString;
use lapin::{Channel, Consumer, message::Delivery};
use rpc_benchmarks::arguments::{
    ClientArguments, Load, Role, ServerArguments, serving, terminated,
};
use rpc_benchmarks::{Failure, Meter, begin};

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

/// Waits for a delivery, and returns it with all others that are ready.
async fn ready(consumer: &mut Consumer, most: usize) -> Result<Vec<Delivery>, Failure> {
    let mut deliveries: Vec<_> = consumer.next().await.transpose()?.into_iter().collect();
    while deliveries.len() < most
        && let Some(Some(delivery)) = consumer.next().now_or_never()
    {
        deliveries.push(delivery?);
    }
    if deliveries.is_empty() { Err("the consumer ended".into()) } else { Ok(deliveries) }
}

/// Most requests in a batch: more would delay the first reply.
const BATCH: usize = 256;

async fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    let Consuming { connection: _connection, channel, mut consumer, .. } =
        raw::requests(&arguments.common).await?;
    serving();
    loop {
        let requests = ready(&mut consumer, BATCH).await?;
        let last = requests.last().map_or(0, |request| request.delivery_tag);
        let replies = requests.into_iter().map(|request| {
            let (properties, reply_to) = raw::reply(&request.properties);
            let answer = raw::answer(request.data);
            let channel = &channel;
            async move {
                let options = BasicPublishOptions::default();
                channel
                    .basic_publish(ShortString::default(), reply_to, options, &answer, properties)
                    .await
            }
        });
        // The replies have to be on the socket, or the acknowledgement overtakes them.
        raw::publish_all(replies).await?;
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
    }
}

async fn call(arguments: ClientArguments) -> Result<(), Failure> {
    let Consuming { connection: _connection, channel, consumer, queue: reply_to } =
        raw::replies(&arguments.common).await?;
    let queue = arguments.common.queue.into();
    let mut caller = Caller { channel, consumer, queue, reply_to, sent: HashMap::new() };
    let Load { window, total, payload } = arguments.load;
    caller.run(window, total.min(200.max(2 * window)), payload).await?;
    begin();
    println!("{}", caller.run(window, total, payload).await?.report());
    Ok(())
}

struct Caller {
    channel: Channel,
    consumer: Consumer,
    queue: ShortString,
    reply_to: ShortString,
    sent: HashMap<ShortString, Instant>,
}

impl Caller {
    async fn run(&mut self, window: usize, total: usize, payload: usize) -> Result<Meter, Failure> {
        let mut meter = Meter::start(total);
        let mut numbers = (0u64..).take(total);
        self.publish(numbers.by_ref().take(window), payload).await?;
        while meter.count() < total {
            let replies = ready(&mut self.consumer, window).await?;
            for reply in &replies {
                let id = reply.properties.correlation_id().as_ref();
                let sent = id.and_then(|id| self.sent.remove(id)).ok_or("a reply to no request")?;
                meter.ended(sent.elapsed());
            }
            self.publish(numbers.by_ref().take(replies.len()), payload).await?;
        }
        Ok(meter)
    }

    async fn publish(
        &mut self,
        numbers: impl Iterator<Item = u64>,
        payload: usize,
    ) -> Result<(), Failure> {
        let Self { channel, queue, reply_to, sent, .. } = self;
        let requests = numbers.map(|number| {
            let (id, queue) = (raw::fresh_id(), queue.clone());
            let properties = raw::request(&id, reply_to);
            sent.insert(id, Instant::now());
            let channel = &*channel;
            async move {
                let (exchange, body) = (ShortString::default(), raw::body(number, payload));
                channel.basic_publish(exchange, queue, raw::mandatory(), &body, properties).await
            }
        });
        raw::publish_all(requests).await
    }
}
