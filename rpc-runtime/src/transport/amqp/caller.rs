//! The channels of a caller: one sends requests, and another receives replies.
//!
//! If the broker refuses a single request, it closes the channel. The replies to all other requests still arrive, because
//! only the publishing channel has to be replaced. Direct reply-to needs both on one channel.

use std::sync::Arc;

use rpc_amqp::{ChannelHandler, Confirmation, Error};
use smol_str::SmolStr;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    driver::{Driver, DriverChannel, DriverConnection, DriverWriter},
    error,
    requests::Requests,
    set_once, topology, when_set,
};
use crate::{
    error::BrokerError,
    message::{Delivery, Message, Properties},
    transport::{BoxFuture, BrokerFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone},
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

pub(super) struct AmqpCaller<D: Driver> {
    setup: Arc<Setup<D>>,
    callback: Arc<Callback<D>>,
    /// The user that requests name, if they name one.
    user: Option<SmolStr>,
    requests: Arc<Requests<D::Writer>>,
    _channel: D::Channel,
}

/// Everything that is needed to open another channel.
pub(super) struct Setup<D: Driver> {
    pub(super) connection: D::Connection,
    pub(super) options: CallerOptions,
    pub(super) sink: Arc<dyn CallerSink>,
}

/// The callback queue.
struct Callback<D: Driver> {
    queue: SmolStr,
    replies: Arc<Replies>,
    /// `None` with direct reply-to, which uses the channel of the requests.
    _channel: Option<D::Channel>,
}

/// Handles messages on the callback queue.
struct Replies {
    sink: Arc<dyn CallerSink>,
    max_body: usize,
    closed: watch::Sender<Option<BrokerError>>,
}

impl ChannelHandler for Replies {
    fn unreadable(&self, _: u64, _: usize) {
        self.sink.unreadable();
    }

    fn max_body(&self) -> usize {
        self.max_body
    }

    fn delivered(&self, reply: Delivery) {
        self.sink.reply(Arc::unwrap_or_clone(reply.message));
    }

    fn cancelled(&self) {
        set_once(&self.closed, error::connection_lost("the queue was deleted"));
    }

    fn closed(&self, why: Error) {
        set_once(&self.closed, error::ended(why));
    }
}

/// Handles requests and replies on one channel.
struct Both<W> {
    requests: Arc<Requests<W>>,
    replies: Arc<Replies>,
}

impl<W: DriverWriter> ChannelHandler for Both<W> {
    fn unreadable(&self, tag: u64, size: usize) {
        self.replies.unreadable(tag, size);
    }

    fn max_body(&self) -> usize {
        self.replies.max_body()
    }

    fn delivered(&self, reply: Delivery) {
        self.replies.delivered(reply);
    }

    fn cancelled(&self) {
        self.replies.cancelled();
    }

    fn returned(&self, properties: Properties) {
        self.requests.returned(properties);
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        self.requests.confirmed(number, multiple, confirmation);
    }

    fn closed(&self, why: Error) {
        // Report the outcomes of the requests first.
        self.requests.closed(why.clone());
        self.replies.closed(why);
    }
}

pub(super) async fn open<D: Driver>(setup: Setup<D>) -> Result<AmqpCaller<D>, BrokerError> {
    let setup = Arc::new(setup);
    let (channel, requests) = open_publisher(&setup).await?;
    let replies = Arc::new(Replies {
        sink: setup.sink.clone(),
        max_body: setup.options.max_reply,
        closed: watch::Sender::new(None),
    });
    let callback = if setup.options.direct_reply_to {
        let both = Arc::new(Both { requests: requests.clone(), replies: replies.clone() });
        channel.set_handler(both);
        let queue = SmolStr::new_static(DIRECT_REPLY_TO);
        consume_replies(&channel, &queue).await?;
        Callback { queue, replies, _channel: None }
    } else {
        channel.set_handler(requests.clone());
        open_callback(&setup, replies).await?
    };
    Ok(assemble(setup, callback.into(), requests, channel))
}

fn assemble<D: Driver>(
    setup: Arc<Setup<D>>,
    callback: Arc<Callback<D>>,
    requests: Arc<Requests<D::Writer>>,
    channel: D::Channel,
) -> AmqpCaller<D> {
    let user = setup.options.announce_user.then(|| setup.connection.user().clone());
    AmqpCaller { setup, callback, user, requests, _channel: channel }
}

/// A channel, and the requests on it.
type Publisher<D> = (<D as Driver>::Channel, Arc<Requests<<D as Driver>::Writer>>);

async fn open_publisher<D: Driver>(setup: &Setup<D>) -> Result<Publisher<D>, BrokerError> {
    let Setup { connection, options, sink } = setup;
    topology::check_exchange(connection, &options.exchange).await?;
    let opening = |why| error::during("opening a channel for calls", why);
    let channel = connection.open_channel().await.map_err(opening)?;
    if options.confirms {
        channel.confirm_select().await.map_err(opening)?;
    }
    let window = connection.send_window().clone();
    let requests = Requests::new(channel.writer().clone(), window, sink.clone(), options.confirms);
    Ok((channel, requests))
}

async fn open_callback<D: Driver>(
    setup: &Setup<D>,
    replies: Arc<Replies>,
) -> Result<Callback<D>, BrokerError> {
    let opening = |why| error::during("opening a channel for replies", why);
    let channel = setup.connection.open_channel().await.map_err(opening)?;
    channel.set_handler(replies.clone());
    let queue = topology::declare_callback(&channel).await?;
    consume_replies(&channel, &queue).await?;
    Ok(Callback { queue, replies, _channel: Some(channel) })
}

/// Consumes without acknowledgements, because a reply is handled when it arrives, and its queue is deleted with the
/// connection.
async fn consume_replies(channel: &impl DriverChannel, queue: &str) -> Result<(), BrokerError> {
    let consuming = |why| error::during("consuming replies", why);
    channel.consume(queue, false).await.map(drop).map_err(consuming)
}

impl<D: Driver> CallerChannel for AmqpCaller<D> {
    fn announced_user(&self) -> Option<&SmolStr> {
        self.user.as_ref()
    }

    fn callback_queue(&self) -> &SmolStr {
        &self.callback.queue
    }

    fn publish(&self, correlation_id: Uuid, message: Message) -> Result<(), ChannelGone> {
        if self.callback.replies.closed.borrow().is_some() {
            return Err(ChannelGone);
        }
        self.requests.publish(correlation_id, &message)
    }

    fn closed(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.callback.replies.closed.subscribe())
    }

    fn exhausted(&self) -> BoxFuture<'static, BrokerError> {
        when_set(self.requests.close_reason())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        if self.setup.options.direct_reply_to {
            // Replies arrive on this channel, too, so replacing it would fail every call in flight.
            return Box::pin(std::future::pending());
        }
        let requests = self.requests.clone();
        Box::pin(async move { requests.rejected().await })
    }

    fn reopen(&self) -> BrokerFuture<'_, Arc<dyn CallerChannel>> {
        Box::pin(async {
            if self.setup.options.direct_reply_to {
                return Err(error::connection_lost("the callback queue was lost with its channel"));
            }
            let (channel, requests) = open_publisher(&self.setup).await?;
            channel.set_handler(requests.clone());
            let (setup, callback) = (self.setup.clone(), self.callback.clone());
            let reopened = assemble(setup, callback, requests, channel);
            Ok(Arc::new(reopened) as Arc<dyn CallerChannel>)
        })
    }
}
