//! The channels of the callers: requests go out on one, replies come in on another.
//!
//! The broker closes a channel because of a single request that it refuses. The replies to all the others still come
//! then, and only the channel that publishes has to be replaced. Direct reply-to wants both on one.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::{
    Channel, Connection, Consumer,
    options::{BasicConsumeOptions, ConfirmSelectOptions},
    types::{FieldTable, ShortString},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use uuid::Uuid;

use super::{
    backlog::Backlog,
    error, properties,
    publishing::Outbox,
    set_once,
    settle::{Sent, Settle},
    topology, when_set,
};
use crate::{
    error::BrokerError,
    transport::{BoxFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone, Outbound},
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Why something has ended, once it has.
type Gone = watch::Sender<Option<BrokerError>>;

pub(super) struct AmqpCaller {
    setup: Arc<Setup>,
    callback: Arc<Callback>,
    /// What requests say of who sent them, if they do.
    user: Option<String>,
    channel: Arc<Channel>,
    outbox: Arc<Outbox<Sent>>,
    exhausted: watch::Receiver<Option<BrokerError>>,
    rejected: Arc<Notify>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

/// What another channel is opened with.
pub(super) struct Setup {
    pub(super) connection: Arc<Connection>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) options: CallerOptions,
    pub(super) sink: Arc<dyn CallerSink>,
}

/// The callback queue, and what consumes it.
struct Callback {
    queue: String,
    closed: watch::Receiver<Option<BrokerError>>,
    /// Dropped with this, they stop.
    _tasks: JoinSet<()>,
}

pub(super) async fn open(setup: Setup) -> Result<AmqpCaller, BrokerError> {
    let setup = Arc::new(setup);
    let channel = open_publisher(&setup).await?;
    let (gone, exhausted) = watch::channel(None);
    let outbox = Outbox::new();
    let callback = if setup.options.direct_reply_to {
        let replies = consume(&channel, DIRECT_REPLY_TO.into()).await?;
        let mut tasks = JoinSet::new();
        let (sink, outbox) = (setup.sink.clone(), outbox.clone());
        tasks.spawn(async move {
            receive(replies, sink).await;
            // What became of the requests is told first.
            outbox.wake();
        });
        Callback { queue: DIRECT_REPLY_TO.to_owned(), closed: exhausted.clone(), _tasks: tasks }
    } else {
        open_callback(&setup).await?
    };
    Ok(publish_on(channel, outbox, (gone, exhausted), setup, callback.into()))
}

async fn open_publisher(setup: &Setup) -> Result<Channel, BrokerError> {
    let Setup { connection, options, .. } = setup;
    topology::check_exchange(connection, &options.exchange).await?;
    let opening = |error| error::during("opening a channel for calls", error);
    let channel = connection.create_channel().await.map_err(opening)?;
    if options.confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(opening)?;
    }
    Ok(channel)
}

async fn open_callback(setup: &Setup) -> Result<Callback, BrokerError> {
    let opening = |error| error::during("opening a channel for replies", error);
    let channel = setup.connection.create_channel().await.map_err(opening)?;
    let queue = topology::declare_callback(&channel).await?;
    let replies = consume(&channel, queue.clone()).await?;
    let (gone, closed) = watch::channel(None);
    let sink = setup.sink.clone();
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
    setup: Arc<Setup>,
    callback: Arc<Callback>,
) -> AmqpCaller {
    let channel = Arc::new(channel);
    let mut tasks = JoinSet::new();
    let rejected = Arc::new(Notify::new());
    let settle = Settle::new(outbox.clone(), channel.clone(), setup.sink.clone(), rejected.clone());
    let confirms = setup.options.confirms;
    tasks.spawn(async move {
        let reason = if confirms { settle.confirmed().await } else { settle.unconfirmed().await };
        set_once(&gone, reason);
    });
    let user = setup.options.announce_user.then(|| setup.connection.status().username());
    AmqpCaller { setup, callback, user, channel, outbox, exhausted, rejected, _tasks: tasks }
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
        let held = self.setup.backlog.hold(size);
        let sent = |published| Sent { correlation_id, routing_key, size, published, _held: held };
        self.outbox.publish(&self.channel, message, sent).map_err(|_| ChannelGone)
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.callback.closed.clone())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.exhausted.clone())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        if self.setup.options.direct_reply_to {
            // Its replies come on this very channel: to replace it would cost every call in flight.
            return Box::pin(std::future::pending());
        }
        let rejected = self.rejected.clone();
        Box::pin(async move { rejected.notified().await })
    }

    fn reopen(&self) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async {
            if self.setup.options.direct_reply_to {
                return Err(error::gone("the callback queue went with its channel"));
            }
            let channel = open_publisher(&self.setup).await?;
            let (setup, callback) = (self.setup.clone(), self.callback.clone());
            let reopened =
                publish_on(channel, Outbox::new(), watch::channel(None), setup, callback);
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
