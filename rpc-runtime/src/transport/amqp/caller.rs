//! The channels of the callers: requests go out on one, replies come in on another.
//!
//! The broker closes a channel because of a single request that it refuses. The replies to all the others still come
//! then, and only the channel that publishes has to be replaced. Direct reply-to wants both on one.

use std::sync::Arc;

use lapin::{
    Connection,
    options::{BasicConsumeOptions, ConfirmSelectOptions},
    types::ShortString,
};
use smol_str::SmolStr;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    backlog::Backlog,
    channel::OwnChannel,
    error,
    mux::{Ended, Mux, Route},
    requests::Requests,
    set_once, topology, when_set,
};
use crate::{
    error::BrokerError,
    transport::{
        BoxFuture, CallerChannel, CallerOptions, CallerSink, ChannelGone, Delivery, Message,
        Properties,
    },
};

const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

pub(super) struct AmqpCaller {
    setup: Arc<Setup>,
    callback: Arc<Callback>,
    /// What requests say of who sent them, if they do.
    user: Option<SmolStr>,
    requests: Arc<Requests>,
    _channel: OwnChannel,
}

/// What another channel is opened with.
pub(super) struct Setup {
    pub(super) connection: Arc<Connection>,
    pub(super) mux: Arc<Mux>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) options: CallerOptions,
    pub(super) sink: Arc<dyn CallerSink>,
}

/// The callback queue.
struct Callback {
    queue: SmolStr,
    replies: Arc<Replies>,
    /// With direct reply-to, it is that of the requests.
    _channel: Option<OwnChannel>,
}

/// What comes to the callback queue.
struct Replies {
    sink: Arc<dyn CallerSink>,
    closed: watch::Sender<Option<BrokerError>>,
}

impl Route for Replies {
    fn delivered(&self, reply: Delivery) {
        self.sink.reply(Arc::unwrap_or_clone(reply.message));
    }

    fn ended(&self, why: Ended) {
        set_once(&self.closed, error::ended(&why));
    }
}

/// Requests and replies on one channel.
struct Both {
    requests: Arc<Requests>,
    replies: Arc<Replies>,
}

impl Route for Both {
    fn delivered(&self, reply: Delivery) {
        self.replies.delivered(reply);
    }

    fn returned(&self, properties: Properties) {
        self.requests.returned(properties);
    }

    fn confirmed(&self, tag: u64, multiple: bool, accepted: bool) {
        self.requests.confirmed(tag, multiple, accepted);
    }

    fn ended(&self, why: Ended) {
        // What became of the requests is told first.
        self.requests.ended(why.clone());
        self.replies.ended(why);
    }
}

pub(super) async fn open(setup: Setup) -> Result<AmqpCaller, BrokerError> {
    let setup = Arc::new(setup);
    let (channel, requests) = open_publisher(&setup).await?;
    let replies = Arc::new(Replies { sink: setup.sink.clone(), closed: watch::Sender::new(None) });
    let callback = if setup.options.direct_reply_to {
        let both = Arc::new(Both { requests: requests.clone(), replies: replies.clone() });
        setup.mux.route(channel.id(), both);
        let queue = consume_replies(&channel, DIRECT_REPLY_TO.into(), &replies).await?;
        Callback { queue, replies, _channel: None }
    } else {
        setup.mux.route(channel.id(), requests.clone());
        open_callback(&setup, replies).await?
    };
    Ok(assemble(setup, callback.into(), requests, channel))
}

fn assemble(
    setup: Arc<Setup>,
    callback: Arc<Callback>,
    requests: Arc<Requests>,
    channel: OwnChannel,
) -> AmqpCaller {
    let user = setup.options.announce_user.then(|| setup.connection.status().username().into());
    AmqpCaller { setup, callback, user, requests, _channel: channel }
}

async fn open_publisher(setup: &Setup) -> Result<(OwnChannel, Arc<Requests>), BrokerError> {
    let Setup { connection, mux, backlog, options, sink } = setup;
    topology::check_exchange(connection, &options.exchange).await?;
    let opening = |error| error::during("opening a channel for calls", error);
    let channel = OwnChannel::open(connection).await.map_err(opening)?;
    if options.confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(opening)?;
    }
    let port = mux.port(channel.id(), connection.configuration().frame_max());
    let requests = Requests::new(port, backlog.clone(), sink.clone(), options.confirms);
    Ok((channel, requests))
}

async fn open_callback(setup: &Setup, replies: Arc<Replies>) -> Result<Callback, BrokerError> {
    let opening = |error| error::during("opening a channel for replies", error);
    let channel = OwnChannel::open(&setup.connection).await.map_err(opening)?;
    setup.mux.route(channel.id(), replies.clone());
    let queue = topology::declare_callback(&channel).await?;
    let queue = consume_replies(&channel, queue, &replies).await?;
    Ok(Callback { queue, replies, _channel: Some(channel) })
}

async fn consume_replies(
    channel: &OwnChannel,
    queue: ShortString,
    replies: &Arc<Replies>,
) -> Result<SmolStr, BrokerError> {
    // Without acknowledgements: a reply is dropped or claimed as soon as it is here, and its queue dies with us.
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let name = queue.as_str().into();
    let told = replies.clone();
    channel
        .consume(queue, options, move |reason| set_once(&told.closed, reason))
        .await
        .map_err(|error| error::during("consuming replies", error))?;
    Ok(name)
}

impl CallerChannel for AmqpCaller {
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
        when_set(self.requests.gone())
    }

    fn rejecting(&self) -> BoxFuture<'static, ()> {
        if self.setup.options.direct_reply_to {
            // Its replies come on this very channel: to replace it would cost every call in flight.
            return Box::pin(std::future::pending());
        }
        let requests = self.requests.clone();
        Box::pin(async move { requests.rejected().await })
    }

    fn reopen(&self) -> BoxFuture<'_, Result<Arc<dyn CallerChannel>, BrokerError>> {
        Box::pin(async {
            if self.setup.options.direct_reply_to {
                return Err(error::gone("the callback queue went with its channel"));
            }
            let (channel, requests) = open_publisher(&self.setup).await?;
            self.setup.mux.route(channel.id(), requests.clone());
            let (setup, callback) = (self.setup.clone(), self.callback.clone());
            let reopened: Arc<dyn CallerChannel> =
                Arc::new(assemble(setup, callback, requests, channel));
            Ok(reopened)
        })
    }
}
