//! The channels of the callers: requests go out on one, replies come in on another.
//!
//! The broker closes a channel because of a single request that it refuses. The replies to all the others still come
//! then, and only the channel that publishes has to be replaced. Direct reply-to wants both on one.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::{
    Channel, Confirmation, Connection, Consumer,
    message::BasicReturnMessage,
    options::{BasicConsumeOptions, ConfirmSelectOptions},
    types::{FieldTable, ShortString},
};
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tracing::debug;
use uuid::Uuid;

use super::{
    error, properties,
    publishing::{LOOK_FOR_RETURNS_FOR, Outbox, Published},
    refusal, set_once, topology, when_set,
};
use crate::{
    error::BrokerError,
    transport::{BoxFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone, Fate, Outbound},
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Why something has ended, once it has.
type Gone = watch::Sender<Option<BrokerError>>;

pub(super) struct AmqpCaller {
    connection: Arc<Connection>,
    options: CallerOptions,
    sink: Arc<dyn CallerSink>,
    callback: Arc<Callback>,
    /// What requests say of who sent them, if they do.
    user: Option<String>,
    channel: Arc<Channel>,
    outbox: Arc<Outbox<Sent>>,
    exhausted: watch::Receiver<Option<BrokerError>>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

/// The callback queue, and what consumes it.
struct Callback {
    queue: String,
    closed: watch::Receiver<Option<BrokerError>>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

/// A request that was published and is not settled yet.
pub(super) struct Sent {
    pub(super) correlation_id: Uuid,
    pub(super) routing_key: String,
    pub(super) size: usize,
    published: Published,
}

pub(super) async fn open(
    connection: &Arc<Connection>,
    options: &CallerOptions,
    sink: Arc<dyn CallerSink>,
) -> Result<AmqpCaller, BrokerError> {
    let channel = open_publisher(connection, options).await?;
    let (gone, exhausted) = watch::channel(None);
    let outbox = Outbox::new();
    let callback = if options.direct_reply_to {
        let replies = consume(&channel, DIRECT_REPLY_TO.into()).await?;
        let mut tasks = JoinSet::new();
        let (sink, outbox) = (sink.clone(), outbox.clone());
        tasks.spawn(async move {
            receive(replies, sink).await;
            // What became of the requests is told first.
            outbox.wake();
        });
        Callback { queue: DIRECT_REPLY_TO.to_owned(), closed: exhausted.clone(), _tasks: tasks }
    } else {
        open_callback(connection, sink.clone()).await?
    };
    Ok(publish_on(channel, outbox, (gone, exhausted), connection, options, sink, callback.into()))
}

async fn open_publisher(
    connection: &Connection,
    options: &CallerOptions,
) -> Result<Channel, BrokerError> {
    topology::check_exchange(connection, &options.exchange).await?;
    let opening = |error| error::during("opening a channel for calls", error);
    let channel = connection.create_channel().await.map_err(opening)?;
    if options.confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(opening)?;
    }
    Ok(channel)
}

async fn open_callback(
    connection: &Connection,
    sink: Arc<dyn CallerSink>,
) -> Result<Callback, BrokerError> {
    let opening = |error| error::during("opening a channel for replies", error);
    let channel = connection.create_channel().await.map_err(opening)?;
    let queue = topology::declare_callback(&channel).await?;
    let replies = consume(&channel, queue.clone()).await?;
    let (gone, closed) = watch::channel(None);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        // A channel closes with its last owner.
        let _channel = channel;
        set_once(&gone, receive(replies, sink).await);
    });
    Ok(Callback { queue: queue.into(), closed, _tasks: tasks })
}

async fn consume(channel: &Channel, queue: ShortString) -> Result<Consumer, BrokerError> {
    // Without acknowledgements: a reply is dropped or claimed as soon as it is here, and its queue dies with us.
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    channel
        .basic_consume(queue, ShortString::default(), options, FieldTable::default())
        .await
        .map_err(|error| error::during("consuming replies", error))
}

fn publish_on(
    channel: Channel,
    outbox: Arc<Outbox<Sent>>,
    (gone, exhausted): (Gone, watch::Receiver<Option<BrokerError>>),
    connection: &Arc<Connection>,
    options: &CallerOptions,
    sink: Arc<dyn CallerSink>,
    callback: Arc<Callback>,
) -> AmqpCaller {
    let channel = Arc::new(channel);
    let mut tasks = JoinSet::new();
    let settle = Settle { outbox: outbox.clone(), channel: channel.clone(), sink: sink.clone() };
    let confirms = options.confirms;
    tasks.spawn(async move {
        let reason = if confirms { settle.confirmed().await } else { settle.unconfirmed().await };
        set_once(&gone, reason);
    });
    let user = options.announce_user.then(|| connection.status().username());
    AmqpCaller {
        user,
        connection: connection.clone(),
        options: options.clone(),
        sink,
        callback,
        channel,
        outbox,
        exhausted,
        _tasks: tasks,
    }
}

impl CallerChannel for AmqpCaller {
    fn announced_user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    fn callback_queue(&self) -> &str {
        &self.callback.queue
    }

    fn publish(&self, correlation_id: Uuid, message: Outbound) -> Result<(), ChannelGone> {
        if self.callback.closed.borrow().is_some() {
            return Err(ChannelGone);
        }
        if !self.channel.status().connected() {
            // A channel that only publishes says nothing when it ends.
            self.outbox.wake();
            return Err(ChannelGone);
        }
        let (routing_key, size) = (message.routing_key.clone(), message.body.len());
        let sent = |published| Sent { correlation_id, routing_key, size, published };
        self.outbox.publish(&self.channel, message, sent).map_err(|_| ChannelGone)
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.callback.closed.clone())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.exhausted.clone())
    }

    fn reopen(&self) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async {
            if self.options.direct_reply_to {
                return Err(error::gone("the callback queue went with its channel"));
            }
            let channel = open_publisher(&self.connection, &self.options).await?;
            let reopened = publish_on(
                channel,
                Outbox::new(),
                watch::channel(None),
                &self.connection,
                &self.options,
                self.sink.clone(),
                self.callback.clone(),
            );
            let reopened: Arc<dyn CallerChannel> = Arc::new(reopened);
            Ok(reopened)
        })
    }
}

/// Hands every reply on, until the channel or its callback queue is gone.
async fn receive(mut replies: Consumer, sink: Arc<dyn CallerSink>) -> BrokerError {
    let mut reason = None;
    while let Some(reply) = replies.next().await {
        match reply {
            Ok(delivery) => sink.reply(properties::from_delivery(delivery)),
            Err(error) => {
                reason.get_or_insert(error::lost(&error));
            }
        }
    }
    reason.unwrap_or_else(|| error::gone("the callback queue was deleted"))
}

/// Tells what became of requests, for as long as their channel lives.
struct Settle {
    outbox: Arc<Outbox<Sent>>,
    channel: Arc<Channel>,
    sink: Arc<dyn CallerSink>,
}

impl Settle {
    /// Collects the confirmations, in the order of the requests.
    async fn confirmed(self) -> BrokerError {
        loop {
            let mut batch = self.outbox.take().await.into_iter();
            while let Some(mut sent) = batch.next() {
                let confirmed = match sent.published.as_mut().await {
                    Ok(confirm) => confirm.await,
                    Err(error) => Err(error),
                };
                let returned = match confirmed {
                    Ok(Confirmation::Ack(returned)) => {
                        // Told before the acceptance, in case it is the same request.
                        if let Some(returned) = &returned {
                            settle_returned(returned, &*self.sink);
                        }
                        self.sink.settled(sent.correlation_id, Fate::Accepted);
                        continue;
                    }
                    Ok(Confirmation::Nack(returned)) => {
                        self.sink.settled(sent.correlation_id, Fate::Rejected);
                        returned
                    }
                    Ok(Confirmation::NotRequested) => {
                        self.sink.settled(sent.correlation_id, Fate::Accepted);
                        None
                    }
                    Err(error) => {
                        let open = [sent].into_iter().chain(batch).chain(self.outbox.close());
                        refusal::settle(&error, &open.collect::<Vec<_>>(), &*self.sink);
                        return error::lost(&error);
                    }
                };
                if let Some(returned) = returned {
                    settle_returned(&returned, &*self.sink);
                }
            }
            if let Some(reason) = self.ended() {
                return reason;
            }
        }
    }

    /// Without confirmations: a request is accepted once it is on the socket, and those that came back lie in a list
    /// that nobody announces.
    async fn unconfirmed(self) -> BrokerError {
        let mut look_until = Instant::now();
        loop {
            let batch = self.outbox.take_or_look(look_until).await;
            if !batch.is_empty() {
                look_until = Instant::now() + LOOK_FOR_RETURNS_FOR;
            }
            for sent in batch {
                match sent.published.await {
                    Ok(_) => self.sink.settled(sent.correlation_id, Fate::Accepted),
                    Err(error) => {
                        self.outbox.close();
                        return error::lost(&error);
                    }
                }
            }
            for returned in self.channel.wait_for_confirms().await.unwrap_or_default() {
                settle_returned(&returned, &*self.sink);
            }
            if let Some(reason) = self.ended() {
                return reason;
            }
        }
    }

    /// Why nothing more can come of this channel, if so. What is still open is of unknown outcome.
    fn ended(&self) -> Option<BrokerError> {
        if self.channel.status().connected() {
            return None;
        }
        self.outbox.close();
        Some(error::gone("the channel for calls was closed"))
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
