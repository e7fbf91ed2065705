//! The interface to the library that implements AMQP: rpc-amqp, or lapin (`transport/lapin/`). The methods are those of
//! rpc-amqp. The rest of this folder is compiled for each library, so both behave alike and neither costs the other anything.

use std::sync::Arc;

use rpc_amqp::{
    ChannelHandler, DeclaredQueue, Error, ExchangeDeclaration, NotSent, QueueDeclaration,
    SendWindow,
};
use smol_str::SmolStr;
use tokio::{sync::watch, time::Instant};

use crate::{error::BrokerError, message::Message, tasks::BoxFuture, transport::Blocked};

/// Makes connections.
pub(crate) trait Driver: Send + Sync + 'static {
    type Connection: DriverConnection<Channel = Self::Channel>;
    type Channel: DriverChannel<Writer = Self::Writer>;
    type Writer: DriverWriter;

    /// Makes a connection.
    fn dial(&self, by: Option<Instant>) -> BoxFuture<'_, Result<Self::Connection, BrokerError>>;

    /// Makes a connection that only carries replies to direct reply-to.
    fn dial_for_direct_replies(&self) -> BoxFuture<'_, Result<Self::Connection, BrokerError>>;

    /// The address, without secrets.
    fn address(&self) -> String;
}

/// See [`rpc_amqp::Connection`].
pub(crate) trait DriverConnection: Clone + Send + Sync + 'static {
    type Channel: DriverChannel;

    fn open_channel(&self) -> impl Future<Output = Result<Self::Channel, Error>> + Send;

    fn channel_max(&self) -> u16;

    fn user(&self) -> &SmolStr;

    fn blocked(&self) -> watch::Receiver<Blocked>;

    fn send_window(&self) -> &Arc<SendWindow>;

    fn is_closed(&self) -> bool;

    fn closed(&self) -> BoxFuture<'static, Error>;

    fn close(&self);
}

/// See [`rpc_amqp::Channel`].
pub(crate) trait DriverChannel: Send + Sync + 'static {
    type Writer: DriverWriter;

    fn writer(&self) -> &Arc<Self::Writer>;

    fn set_handler(&self, handler: Arc<dyn ChannelHandler>);

    fn confirm_select(&self) -> impl Future<Output = Result<(), Error>> + Send;

    fn declare_exchange(
        &self,
        declaration: ExchangeDeclaration<'_>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    fn declare_queue(
        &self,
        declaration: QueueDeclaration<'_>,
    ) -> impl Future<Output = Result<DeclaredQueue, Error>> + Send;

    fn bind_queue(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    fn set_prefetch(&self, count: u16) -> impl Future<Output = Result<(), Error>> + Send;

    fn consume(
        &self,
        queue: &str,
        acknowledged: bool,
    ) -> impl Future<Output = Result<SmolStr, Error>> + Send;

    fn cancel(&self, consumer: &str) -> impl Future<Output = Result<(), Error>> + Send;

    fn fence(&self) -> BoxFuture<'static, Result<(), Error>>;

    fn fence_without_limit(&self) -> BoxFuture<'static, Result<(), Error>>;

    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// See [`rpc_amqp::ChannelWriter`].
pub(crate) trait DriverWriter: Send + Sync + 'static {
    type Batch<'a>: DriverBatch;

    fn write<T>(&self, write: impl FnOnce(&mut Self::Batch<'_>) -> T) -> Result<T, NotSent>;
}

/// See [`rpc_amqp::Batch`].
pub(crate) trait DriverBatch {
    fn publish(&mut self, message: &Message);

    fn when_written(&mut self, run: impl FnOnce() + Send + 'static);

    fn ack(&mut self, tag: u64);

    fn reject(&mut self, tag: u64, requeue: bool);
}
