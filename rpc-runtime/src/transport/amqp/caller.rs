//! The channel of the callers: requests go out, confirmations, returns and replies come back.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Channel, Confirmation, Connection, Consumer,
    message::BasicReturnMessage,
    options::{BasicConsumeOptions, ConfirmSelectOptions},
    types::{FieldTable, ShortString},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};
use tracing::debug;
use uuid::Uuid;

use super::{
    error, properties,
    publishing::{Outbox, Published},
    set_once, topology, when_set,
};
use crate::{
    error::BrokerError,
    transport::{BoxFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone, Fate, Outbound},
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Without confirms, requests that came back are looked for so often, for so long after the last request.
const LOOK_FOR_RETURNS_EVERY: Duration = Duration::from_millis(20);
const LOOK_FOR_RETURNS_FOR: Duration = Duration::from_secs(1);

pub(super) struct AmqpCaller {
    channel: Arc<Channel>,
    callback_queue: String,
    outbox: Arc<Outbox<Sent>>,
    closed: watch::Receiver<Option<BrokerError>>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

struct Sent {
    correlation_id: Uuid,
    published: Published,
}

pub(super) async fn open(
    connection: &Connection,
    options: &CallerOptions,
    sink: Arc<dyn CallerSink>,
) -> Result<AmqpCaller, BrokerError> {
    topology::check_exchange(connection, &options.exchange).await?;
    let opening = |error| error::during("opening a channel for calls", error);
    let channel = connection.create_channel().await.map_err(opening)?;
    if options.confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(opening)?;
    }
    let callback_queue = if options.direct_reply_to {
        DIRECT_REPLY_TO.into()
    } else {
        topology::declare_callback(&channel).await?
    };
    // Without acknowledgements: a reply is dropped or claimed as soon as it is here, and its queue dies with us.
    let consume = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let replies = channel
        .basic_consume(
            callback_queue.clone(),
            ShortString::default(),
            consume,
            FieldTable::default(),
        )
        .await
        .map_err(|error| error::during("consuming replies", error))?;

    let channel = Arc::new(channel);
    let outbox = Outbox::new();
    let (gone, closed) = watch::channel(None);
    let mut tasks = JoinSet::new();
    tasks.spawn(receive(replies, sink.clone(), gone.clone()));
    if options.confirms {
        tasks.spawn(settle(outbox.clone(), sink, gone));
    } else {
        tasks.spawn(settle_unconfirmed(outbox.clone(), channel.clone(), sink, gone));
    }
    let callback_queue = callback_queue.into();
    Ok(AmqpCaller { channel, callback_queue, outbox, closed, _tasks: tasks })
}

impl CallerChannel for AmqpCaller {
    fn callback_queue(&self) -> &str {
        &self.callback_queue
    }

    fn publish(&self, correlation_id: Uuid, message: Outbound) -> Result<(), ChannelGone> {
        if self.closed.borrow().is_some() || !self.channel.status().connected() {
            return Err(ChannelGone);
        }
        self.outbox.publish(&self.channel, message, |published| Sent { correlation_id, published });
        Ok(())
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.closed.clone())
    }
}

type Gone = watch::Sender<Option<BrokerError>>;

/// Hands every reply on, until the channel or its callback queue is gone.
async fn receive(mut replies: Consumer, sink: Arc<dyn CallerSink>, gone: Gone) {
    while let Some(reply) = replies.next().await {
        match reply {
            Ok(delivery) => sink.reply(properties::from_delivery(delivery)),
            Err(error) => set_once(&gone, error::lost(&error)),
        }
    }
    set_once(&gone, error::gone("the callback queue was deleted"));
}

/// Collects the confirmations, in the order of the requests.
async fn settle(outbox: Arc<Outbox<Sent>>, sink: Arc<dyn CallerSink>, gone: Gone) {
    loop {
        for Sent { correlation_id, published } in outbox.take().await {
            let confirmed = match published.await {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            let returned = match confirmed {
                Ok(Confirmation::Ack(returned)) => {
                    // Told before the acceptance, in case it is the same request.
                    if let Some(returned) = &returned {
                        settle_returned(returned, &*sink);
                    }
                    sink.settled(correlation_id, Fate::Accepted);
                    continue;
                }
                Ok(Confirmation::Nack(returned)) => {
                    sink.settled(correlation_id, Fate::Rejected);
                    returned
                }
                Ok(Confirmation::NotRequested) => {
                    sink.settled(correlation_id, Fate::Accepted);
                    None
                }
                Err(error) => {
                    set_once(&gone, error::lost(&error));
                    return;
                }
            };
            if let Some(returned) = returned {
                settle_returned(&returned, &*sink);
            }
        }
    }
}

/// lapin hands a returned message to whichever confirmation is next, so only the message itself says whose it is.
fn settle_returned(returned: &BasicReturnMessage, sink: &dyn CallerSink) {
    let correlation_id = returned.properties.correlation_id().as_ref();
    if let Some(id) = correlation_id.and_then(|id| Uuid::try_parse(id.as_str()).ok()) {
        sink.settled(id, Fate::Unroutable);
    } else {
        debug!("a message came back that is no request");
    }
}

/// Without confirmations: a request is accepted once it is on the socket, and those that came back lie in a list that
/// nobody announces.
async fn settle_unconfirmed(
    outbox: Arc<Outbox<Sent>>,
    channel: Arc<Channel>,
    sink: Arc<dyn CallerSink>,
    gone: Gone,
) {
    let mut look_until = Instant::now();
    loop {
        let batch = if Instant::now() < look_until {
            timeout(LOOK_FOR_RETURNS_EVERY, outbox.take()).await.unwrap_or_default()
        } else {
            outbox.take().await
        };
        if !batch.is_empty() {
            look_until = Instant::now() + LOOK_FOR_RETURNS_FOR;
        }
        for Sent { correlation_id, published } in batch {
            match published.await {
                Ok(_) => sink.settled(correlation_id, Fate::Accepted),
                Err(error) => {
                    set_once(&gone, error::lost(&error));
                    return;
                }
            }
        }
        for returned in channel.wait_for_confirms().await.unwrap_or_default() {
            settle_returned(&returned, &*sink);
        }
    }
}
